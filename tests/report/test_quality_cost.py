"""Quality against cost: ranks by hand, nobody gains by failing, sentinels change nothing, prices by hand."""

import json
import math

import pandas as pd
import pytest

from synthcohort.cells import machine
from synthcohort.comparison.intervals import Resampling
from synthcohort.report import captions_study, gathering, quality_cost
from synthcohort.scores import COLUMNS

HOW = Resampling(confidence=0.95, test_to_train=0.25)
NAN = math.nan


def frame(rows):
    made = pd.DataFrame(rows, columns=["dataset", "generator", "axis", "metric", "split", "value", "direction"])
    made = made.assign(condition="as_observed", low=NAN, high=NAN, n=50, note="")
    return made[COLUMNS].astype({"value": "float64"})


def scores(values, *, metric="shape", axis="fidelity", dataset="t", direction="up"):
    """Return tidy scores: generator -> one value a split."""
    return frame(
        [(dataset, g, axis, metric, split, v, direction) for g, own in values.items() for split, v in enumerate(own)]
    )


def costs(seconds, *, dataset="t", splits=2):
    """Return tidy costs: generator -> seconds to train, with 1 second to sample and a MB for each second to train."""
    return frame(
        [
            (dataset, g, "cost", metric, split, value, "down")
            for g, s in seconds.items()
            for split in range(splits)
            for metric, value in (("train_cpu_seconds", s), ("sample_cpu_seconds", 1.0), ("peak_memory_bytes", s * 1e6))
        ]
    )


def ranks(found, split=None):
    own = found.quality if split is None else found.quality[found.quality["split"] == split]
    return own.groupby("generator")["value"].mean().to_dict()


SHAPE = {"a": [0.9, 0.9], "b": [0.8, 0.8], "c": [0.7, 0.7]}
MMD = {"a": [0.3, 0.3], "b": [0.1, 0.1], "c": [0.2, 0.4]}  # smaller is better
BOTH = pd.concat([scores(SHAPE), scores(MMD, metric="mmd", direction="down")])
SECONDS = {"a": 40.0, "b": 8.0, "c": 1.0}


def test_ranks_are_averaged_over_metrics_within_a_split():
    found = quality_cost.balance(BOTH, costs(SECONDS), HOW)
    assert ranks(found, 0) == {"a": 2.0, "b": 1.5, "c": 2.5}
    assert ranks(found, 1) == {"a": 1.5, "b": 1.5, "c": 3.0}


def test_what_a_method_lacks_counts_for_nobody():
    lost = {**MMD, "c": [0.2, NAN]}
    found = quality_cost.balance(
        pd.concat([scores(SHAPE), scores(lost, metric="mmd", direction="down")]), costs(SECONDS), HOW
    )
    assert ranks(found, 1) == {"a": 1.0, "b": 2.0, "c": 3.0}  # by shape alone
    assert found.asked["fidelity"] == 4 and len(found.counted["fidelity"]) == 3
    assert "1 of 4 pairs of metric and split left out" in quality_cost.front_note(found, 0.95)


def test_a_method_without_any_score_takes_nothing_from_the_others():
    found = quality_cost.balance(pd.concat([BOTH, scores({"d": [NAN, NAN]})]), costs({**SECONDS, "d": 0.1}), HOW)
    assert ranks(found) == ranks(quality_cost.balance(BOTH, costs(SECONDS), HOW))
    rows = found.fronts(quality_cost.SECONDS)["fidelity"].set_index("generator")
    assert rows.loc["d", "reason"] == "no score of fidelity_rank" and not rows.loc["d", "on_front"]


def test_sentinels_are_ranked_but_change_nobodys_rank_and_are_on_no_front():
    guests = pd.concat(
        [
            BOTH,
            scores({"bootstrap": [1.0, 1.0], "independent": [0.85, 0.85], "real": [1.0, 1.0]}),
            scores({"bootstrap": [0.0, 0.0], "independent": [0.9, 0.9]}, metric="mmd", direction="down"),
        ]
    )
    spent = costs({**SECONDS, "bootstrap": 0.001, "independent": 0.001})
    found = quality_cost.balance(guests, spent, HOW)
    alone = ranks(quality_cost.balance(BOTH, costs(SECONDS), HOW))
    assert ranks(found) == alone | {"bootstrap": 1.0, "independent": 3.0}  # second by shape, fourth by mmd
    rows = found.fronts(quality_cost.SECONDS)["fidelity"].set_index("generator")
    assert set(rows.index[rows["on_front"]]) == {"b", "c"} and rows.loc["bootstrap", "reason"] == "no candidate"
    assert rows.loc["a", "dominated_by"] == ("b",)


def test_cost_is_training_and_sampling_of_the_same_split():
    found = quality_cost.balance(BOTH, costs(SECONDS), HOW)
    rows = found.fronts(quality_cost.SECONDS)["fidelity"].set_index("generator")
    assert (-rows["across_mean"]).to_dict() == {"a": 41.0, "b": 9.0, "c": 2.0}


def test_a_cost_with_a_missing_part_is_missing():
    spent = costs(SECONDS)
    spent.loc[(spent["generator"] == "c") & (spent["metric"] == "sample_cpu_seconds"), "value"] = NAN
    rows = quality_cost.balance(BOTH, spent, HOW).fronts(quality_cost.SECONDS)["fidelity"].set_index("generator")
    assert rows.loc["c", "reason"] == "no score of cpu_seconds" and rows.loc["b", "on_front"]


def test_the_price_of_one_more_rank():
    found = quality_cost.balance(BOTH, costs(SECONDS), HOW)
    (price,) = found.prices(quality_cost.SECONDS)["fidelity"]
    assert [stop.generator for stop in price.stops] == ["c", "b"] and price.next.generator == "b"
    assert price.one_rank == pytest.approx((9.0 - 2.0) / (2.75 - 1.5))
    said = quality_cost.answer(found, quality_cost.SECONDS)
    assert said == "Fidelity: cheapest on the front is c on t; one more rank costs 5.6 (t) CPU seconds."
    (memory,) = found.prices(quality_cost.MEMORY)["fidelity"]
    assert memory.one_rank == pytest.approx(5.6) and "5.6 (t) MB of memory" in quality_cost.answer(
        found, quality_cost.MEMORY
    )


def test_who_is_cheapest_and_first_leaves_nothing_to_buy():
    found = quality_cost.balance(scores(SHAPE), costs({"a": 1.0, "b": 2.0, "c": 3.0}), HOW)
    (price,) = found.prices(quality_cost.SECONDS)["fidelity"]
    assert price.next is None and math.isnan(price.one_rank)
    assert "no method ranks ahead of it" in quality_cost.answer(found, quality_cost.SECONDS)
    assert "nobody ranks ahead" in quality_cost.prices(found, quality_cost.SECONDS)


@pytest.mark.parametrize(("last", "apart"), [(0.9, True), (0.7, False)], ids=["always ahead", "once behind"])
def test_ranks_whose_intervals_overlap_are_not_told_apart(last, apart):
    near = scores({"a": [0.9, 0.9, last], "b": [0.8, 0.8, 0.8]})
    found = quality_cost.balance(near, costs({"a": 9.0, "b": 1.0}, splits=3), HOW)
    (price,) = found.prices(quality_cost.SECONDS)["fidelity"]
    assert price.next.generator == "a" and price.apart == apart
    assert ("not told apart" in quality_cost.prices(found, quality_cost.SECONDS)) != apart


def test_tables_stand_in_the_studys_order_and_each_has_its_front():
    two = pd.concat([BOTH, BOTH.assign(dataset="s")])
    spent = pd.concat([costs(SECONDS), costs({"a": 1.0, "b": 8.0, "c": 40.0}, dataset="s")])
    found = quality_cost.balance(two, spent, HOW)
    prices = found.prices(quality_cost.SECONDS)["fidelity"]
    assert [(p.dataset, p.stops[0].generator) for p in prices] == [("t", "c"), ("s", "a")]
    assert "c on t; a on s" in quality_cost.answer(found, quality_cost.SECONDS)
    assert quality_cost.prices(found, quality_cost.SECONDS).count("<tr>") == 3


def test_without_a_method_there_is_nothing_to_weigh():
    found = quality_cost.balance(scores({"bootstrap": [1.0, 1.0]}), costs({"bootstrap": 1.0}), HOW)
    assert found.fronts(quality_cost.SECONDS) == {}
    assert quality_cost.answer(found, quality_cost.SECONDS) == quality_cost.NOTHING


RECORD = {"processor": "A 1", "cores": 2, "threads": 1, "python": "3.12.3", "libraries": {"torch": "2.1", "numpy": "2"}}


def test_a_machine_is_read_or_not_recorded(tmp_path):
    path = tmp_path / "vae.json"
    assert gathering.machine(path) is None
    path.write_text(json.dumps({"reason": "the table could not be had"}))
    assert gathering.machine(path) is None
    machine.write(path, machine.describe("cpu"))  # as a cell writes it
    assert gathering.machine(path).device == "cpu"
    path.write_text(json.dumps(RECORD))
    found = gathering.machine(path)
    assert found.processor == "A 1" and dict(found.libraries) == {"torch": "2.1", "numpy": "2"}
    path.write_text(json.dumps({k: v for k, v in RECORD.items() if k != "cores"}))
    with pytest.raises(ValueError, match=r"vae\.json: no record of a machine .*train the cell again"):
        gathering.machine(path)


def test_cells_are_grouped_by_what_they_were_measured_on():
    one = gathering.Machine("A 1", 2, 1, "3.12.3", (("numpy", "2"), ("torch", "2.1"), ("zlib", "1")))
    same = gathering.Machine("A 1", 2, 1, "3.12.3", (("numpy", "2"), ("torch", "2.1"), ("zlib", "2")))
    other = gathering.Machine("B 2", 8, 4, "3.12.3", (), "H9")
    said = captions_study.measured_on({("t", "a"): one, ("t", "b"): same, ("s", "a"): other, ("s", "b"): None})
    versions = "torch 2.1, numpy 2, scikit-learn not recorded, xgboost not recorded"
    assert said[0] == f"Measured on: A 1, 1 thread of 2 cores; Python 3.12.3, {versions} (2 of 4 cells)."
    assert said[1].startswith("Measured on: B 2, 4 threads of 8 cores, networks on H9;")
    assert said[1].endswith("(1 of 4 cells).")
    assert said[2] == "Measured on: not recorded (1 of 4 cells, on s)."
