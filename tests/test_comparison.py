"""Intervals over splits against hand computation; verdicts in every limiting case."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from synthcohort import scores
from synthcohort.comparison.claims import decide, judge_claim, overall, verdict_frame
from synthcohort.comparison.intervals import (
    Arm,
    Interval,
    Resampling,
    corrected_interval,
    goodness,
    load_scores,
    mean_ranks,
    pairs,
    summarise,
)
from synthcohort.study import ClaimBlock

RESAMPLING = Resampling(0.95, 0.25)


def frame_of(rows):
    """Return tidy scores from (dataset, generator, metric, split, value) with direction and condition if given."""
    tidy = []
    for dataset, generator, metric, split, value, *rest in rows:
        direction, condition = [*rest, *("up", "as_observed")[len(rest) :]]
        note = "diverged" if math.isnan(value) else ""
        score = scores.Score("utility", metric, value, 10, direction, condition=condition, note=note)
        tidy.append(scores.to_frame([score], dataset=dataset, generator=generator, split=split))
    return pd.concat(tidy, ignore_index=True)


def claim(**changes):
    fields = {"source": "s", "text": "t", "metric": "m", "better": "a", "worse": "b"}
    return ClaimBlock(**{**fields, **changes})


def two_arms(differences, dataset="d", direction="up", base=0.5):
    rows = []
    for split, difference in enumerate(differences):
        rows.append((dataset, "a", "m", split, base + difference, direction))
        rows.append((dataset, "b", "m", split, base, direction))
    return frame_of(rows)


def verdict(frame, datasets=("d",), **changes):
    return judge_claim(frame, "c", claim(**changes), datasets, RESAMPLING)


def test_corrected_interval_by_hand():
    # mean 2, variance 1, k 3: half width t(.975, 2) * sqrt((1/3 + 1/4) * 1); t(.975, 2) is 4.302653
    got = corrected_interval([1.0, 2.0, 3.0], RESAMPLING)
    assert (got.mean, got.splits) == (2.0, 3)
    assert got.high - got.mean == pytest.approx(4.302653 * math.sqrt(7 / 12), abs=1e-5)
    assert got.mean - got.low == pytest.approx(got.high - got.mean)


def test_correction_widens_the_plain_interval():
    values = np.array([0.7, 0.72, 0.69, 0.75])
    plain = t.interval(0.95, 3, loc=values.mean(), scale=values.std(ddof=1) / 2)
    tiny = corrected_interval(values, Resampling(0.95, 1e-12))
    assert (tiny.low, tiny.high) == pytest.approx(plain)
    assert corrected_interval(values, RESAMPLING).low < plain[0]


def test_corrected_interval_covers_correlated_splits():
    # Values sharing a common part with correlation rho = r / (1 + r), r the ratio of test to training rows: then the
    # corrected variance is exact and the interval covers as stated, where the plain one does not.
    draw = np.random.default_rng(0)
    ratio, k, runs = 0.25, 5, 4000
    rho = ratio / (1 + ratio)
    common, own = draw.normal(size=(runs, 1)), draw.normal(size=(runs, k))
    values = math.sqrt(rho) * common + math.sqrt(1 - rho) * own
    inside = [i.low < 0 < i.high for i in (corrected_interval(v, Resampling(0.9, ratio)) for v in values)]
    plain = [i.low < 0 < i.high for i in (corrected_interval(v, Resampling(0.9, 1e-12)) for v in values)]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.015)
    assert np.mean(plain) < 0.85


def test_few_splits_have_no_interval():
    none, one = corrected_interval([], RESAMPLING), corrected_interval([0.4], RESAMPLING)
    assert none.splits == 0 and math.isnan(none.mean)
    assert one.mean == 0.4 and math.isnan(one.low) and math.isnan(one.high)
    same = corrected_interval([1.0, 1.0], RESAMPLING)
    assert (same.low, same.high) == (1.0, 1.0)


def test_bad_resampling_is_refused():
    with pytest.raises(ValueError, match="confidence is 95"):
        Resampling(95, 0.2)
    with pytest.raises(ValueError, match="test_to_train"):
        Resampling(0.95, 0)


def test_summary_counts_failures_and_never_averages_them():
    frame = frame_of([("d", "a", "m", 0, 0.2), ("d", "a", "m", 1, math.nan), ("d", "a", "m", 2, 0.4)])
    row = summarise(frame, RESAMPLING).iloc[0]
    assert row["mean"] == pytest.approx(0.3)
    assert (row["splits"], row["failed"], row["note"]) == (2, 1, "diverged")
    lost = summarise(frame[frame["value"].isna()], RESAMPLING).iloc[0]
    assert math.isnan(lost["mean"]) and lost["splits"] == 0


def test_files_are_named_never_searched_for(tmp_path):
    one, two = two_arms([0.1, 0.2]), two_arms([0.1], dataset="e")
    for name, frame in {"one": one, "two": two, "stale": one}.items():
        scores.write(frame, tmp_path / f"{name}.csv")
    loaded = load_scores([tmp_path / "two.csv", tmp_path / "one.csv"])
    assert loaded["dataset"].to_list() == ["d"] * 4 + ["e"] * 2
    with pytest.raises(ValueError, match="stands twice"):
        load_scores([tmp_path / "one.csv", tmp_path / "stale.csv"])
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        load_scores([tmp_path / "absent.csv"])
    with pytest.raises(ValueError, match="no score file"):
        load_scores([])


def test_goodness_turns_every_direction_upwards():
    values = pd.Series([0.7, 0.7, 0.7, 0.3, -0.1])
    directions = pd.Series(["up", "down", "half", "half", "zero"])
    assert goodness(values, directions).to_list() == pytest.approx([0.7, -0.7, -0.2, -0.2, -0.1])
    with pytest.raises(ValueError, match="sideways"):
        goodness(values[:1], pd.Series(["sideways"]))


@pytest.mark.parametrize(
    ("direction", "first", "second", "expected"),
    [("up", 0.7, 0.5, 0.2), ("down", 0.7, 0.5, -0.2), ("half", 0.9, 0.45, -0.35), ("zero", 0.1, -0.3, 0.2)],
)
def test_differences_favour_the_better_arm(direction, first, second, expected):
    frame = frame_of([("d", "a", "m", 0, first, direction), ("d", "b", "m", 0, second, direction)])
    paired = pairs(frame, "m", better=Arm("a"), worse=Arm("b"))
    assert paired["difference"].to_list() == pytest.approx([expected])


def test_pairs_match_splits_and_say_what_is_lost():
    frame = frame_of(
        [
            *(("d", "a", "m", split, 0.5 + 0.1 * split) for split in range(3)),
            ("d", "b", "m", 2, 0.1), ("d", "b", "m", 0, math.nan), ("d", "b", "m", 3, 0.3),
        ]
    )  # fmt: skip
    paired = pairs(frame, "m", better=Arm("a"), worse=Arm("b")).set_index("split")
    assert paired["difference"].dropna().to_dict() == pytest.approx({2: 0.6})
    assert paired["note"].to_dict() == {
        0: "b (as_observed): diverged", 1: "b (as_observed): no score", 2: "", 3: "a (as_observed): no score"
    }  # fmt: skip


def test_arms_may_differ_in_condition():
    frame = frame_of(
        [("d", "a", "m", s, 0.8, "up", "minority_1.0") for s in (0, 1)]
        + [("d", "real", "m", s, 0.6 + 0.01 * s, "up", "threshold") for s in (0, 1)]
        + [("d", "real", "m", s, 0.9, "up", "none") for s in (0, 1)]
    )
    got = verdict(frame, worse="real", better_condition="minority_1.0", worse_condition="threshold")
    assert got.verdict == "supported"
    assert got.tables[0].worse_mean == pytest.approx(0.605)
    assert (
        verdict(frame, worse="real", better_condition="minority_1.0", worse_condition="none").verdict == "contradicted"
    )


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (0.01, 0.2, 0.0, "supported"), (-0.2, -0.01, 0.0, "contradicted"), (-0.1, 0.1, 0.0, "undecided"),
        (0.0, 0.1, 0.0, "undecided"), (-0.1, 0.0, 0.0, "undecided"), (0.0, 0.0, 0.0, "undecided"),
        (0.06, 0.2, 0.05, "supported"), (0.01, 0.04, 0.05, "contradicted"), (0.01, 0.2, 0.05, "undecided"),
        (-0.02, 0.01, -0.03, "supported"), (-0.2, -0.04, -0.03, "contradicted"),
        (math.nan, math.nan, 0.0, "undecided"),
    ],
)  # fmt: skip
def test_verdict_of_limiting_cases(low, high, margin, expected):
    assert decide(Interval((low + high) / 2, low, high, 3), margin) == expected


@pytest.mark.parametrize(
    ("supported", "contradicted", "expected"),
    [(1, 0, "supported"), (0, 1, "contradicted"), (0, 0, "undecided"), (2, 1, "undecided"), (5, 0, "supported")],
)
def test_verdict_over_tables(supported, contradicted, expected):
    assert overall(supported, contradicted) == expected


def test_claim_over_tables_counts_and_orders():
    frame = pd.concat([two_arms([0.1, 0.12, 0.11]), two_arms([0.1, -0.3, 0.2], "e"), two_arms([0.1], "f")])
    got = verdict(frame, datasets=("d", "e", "f", "g"))
    assert [x.dataset for x in got.tables] == ["d", "e", "f", "g"]
    assert [x.verdict for x in got.tables] == ["supported", "undecided", "undecided", "undecided"]
    assert (got.verdict, got.supported, got.contradicted, got.undecided) == ("supported", 1, 0, 3)
    assert got.tables[0].difference == pytest.approx(0.11)
    assert got.tables[1].reason == ""
    assert "one paired split" in got.tables[2].reason
    assert "no split has scores of both arms" in got.tables[3].reason
    table = verdict_frame([got])
    assert table[["claim", "overall", "dataset"]].iloc[0].to_list() == ["c", "supported", "d"]
    assert len(table) == 4


def test_claim_is_tested_on_its_own_tables():
    frame = pd.concat([two_arms([0.1, 0.12, 0.11]), two_arms([-0.1, -0.12, -0.11], "e")])
    assert verdict(frame, datasets=("d", "e")).verdict == "undecided"
    assert verdict(frame, datasets=("d", "e"), tables=["e"]).verdict == "contradicted"


def test_failed_splits_are_counted_with_their_reason():
    frame = two_arms([0.1, 0.12, 0.11])
    frame.loc[(frame["generator"] == "a") & (frame["split"] == 1), ["value", "note"]] = [math.nan, "diverged"]
    one = verdict(frame).tables[0]
    assert (one.splits, one.failed, one.verdict) == (2, 1, "supported")
    assert one.worse_mean == 0.5
    frame.loc[(frame["generator"] == "a") & (frame["split"] == 2), ["value", "note"]] = [math.nan, "diverged"]
    one = verdict(frame).tables[0]
    assert (one.splits, one.failed, one.verdict) == (1, 2, "undecided")
    assert "a (as_observed): diverged" in one.reason


def test_smaller_is_better_is_read_from_the_scores():
    assert verdict(two_arms([-0.1, -0.12, -0.11], direction="down")).verdict == "supported"
    assert verdict(two_arms([0.1, 0.12, 0.11], direction="down")).verdict == "contradicted"


def test_mean_ranks_by_hand():
    values = {"bootstrap": (0.99, 0.5), "tabddpm": (0.95, 0.6), "independent": (0.99, 0.9), "real": (1.0, 0.5)}
    rows = []
    for generator, (shape, c2st) in values.items():
        for split in range(2):
            rows.append(("d", generator, "shape", split, shape, "up"))
            rows.append(("d", generator, "c2st", split, c2st + 0.01 * split, "half"))
    ranks = mean_ranks(frame_of(rows), ["shape", "c2st"])
    assert ranks["generator"].to_list() == ["bootstrap", "independent", "tabddpm"]
    assert ranks["mean_rank"].to_list() == [(1.5 + 1) / 2, (1.5 + 3) / 2, (3 + 2) / 2]
    assert ranks["ranked"].to_list() == [2, 2, 2]
    failed = frame_of(rows)
    failed.loc[(failed["generator"] == "tabddpm") & (failed["metric"] == "c2st"), "value"] = math.nan
    assert mean_ranks(failed, ["shape", "c2st"]).set_index("generator").loc["tabddpm", "ranked"] == 1
    with pytest.raises(ValueError, match="no score of"):
        mean_ranks(frame_of(rows), ["absent"])


def test_any_record_with_the_fields_is_a_claim():
    record = SimpleNamespace(**claim().model_dump())
    assert judge_claim(two_arms([0.1, 0.1]), "c", record, ["d"], RESAMPLING).verdict == "supported"
