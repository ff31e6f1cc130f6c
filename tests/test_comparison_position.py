"""Positions by hand and at both ends; their intervals against the paired test; no position without a scale."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort.comparison.intervals import Resampling, corrected_interval
from synthcohort.comparison.paired import p_value
from synthcohort.comparison.position import COLUMNS, ends, noise, positions, ratio_interval

RESAMPLING = Resampling(0.95, 0.25)


def frame_of(values, *, axis="utility", direction="up", dataset="d"):
    """Return tidy scores from (generator, metric) -> values over splits."""
    rows = [
        {"dataset": dataset, "generator": g, "metric": m, "condition": "as_observed", "split": split, "axis": axis,
         "value": value, "direction": direction, "note": ""}
        for (g, m), own in values.items()
        for split, value in enumerate(own)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def placed(frame, metric="m", generator="vae"):
    found = positions(frame, [metric], RESAMPLING)
    assert list(found.columns) == COLUMNS
    return found.set_index("generator").loc[generator]


def three(vae, floor, ceiling, **kind):
    return frame_of({("vae", "m"): vae, ("independent", "m"): floor, ("real", "m"): ceiling}, **kind)


def test_the_ends_of_a_metric():
    assert ends("tstr_auroc_xgboost", "utility").ceiling_metric == "trtr_auroc_xgboost"
    assert ends("tstr_auroc_xgboost", "utility").floor.generator == "independent"
    assert ends("memorisation", "privacy").floor.generator == "bootstrap"
    assert ends("trend", "fidelity").ceiling_metric == "trend"
    assert ends("trend", "fidelity").ceiling.generator == "real"


def test_position_by_hand():
    # spans .4 .5 .6 (mean .5), above the floor .2 .3 .4 (mean .3): .6
    row = placed(three([0.7, 0.8, 0.9], [0.5, 0.5, 0.5], [0.9, 1.0, 1.1]))
    assert row["position"] == pytest.approx(0.6) and (row["splits"], row["reason"]) == (3, "")
    assert (row["floor"], row["ceiling"], row["noise"]) == pytest.approx((0.5, 1.0, 0.1))
    assert row["low"] < 0.6 < row["high"]


def test_a_constant_span_gives_the_interval_of_the_mean():
    values, span = np.array([0.1, 0.25, 0.3, 0.2]), np.full(4, 0.5)
    got, plain = ratio_interval(values, span, RESAMPLING), corrected_interval(values / 0.5, RESAMPLING)
    assert (got.mean, got.low, got.high) == pytest.approx((plain.mean, plain.low, plain.high))


def test_the_interval_holds_what_the_paired_test_does_not_refuse():
    draw = np.random.default_rng(0)
    for _ in range(30):
        above, span = draw.normal(0.3, 0.1, 6), draw.normal(0.6, 0.1, 6)
        got = ratio_interval(above, span, RESAMPLING)
        for bound in (got.low, got.high):
            assert p_value(above - bound * span, RESAMPLING) == pytest.approx(0.05)
        assert p_value(above - got.mean * span, RESAMPLING) == pytest.approx(1.0)


def test_the_interval_covers_the_true_ratio():
    draw, ratio, k, hits = np.random.default_rng(1), 0.25, 5, []
    rho = ratio / (1 + ratio)
    for _ in range(1500):
        noise_of = math.sqrt(rho) * draw.normal(size=(2, 1)) + math.sqrt(1 - rho) * draw.normal(size=(2, k))
        above, span = 0.7 + 0.2 * noise_of[0], 1.0 + 0.1 * noise_of[1]
        got = ratio_interval(above, span, Resampling(0.9, ratio))
        hits.append(got.low < 0.7 < got.high)
    assert np.mean(hits) == pytest.approx(0.9, abs=0.025)


def test_the_ends_stand_at_zero_and_one():
    floor, ceiling = [0.5, 0.52, 0.49], [0.9, 0.95, 0.93]
    row = placed(three(ceiling, floor, ceiling))
    assert (row["position"], row["low"], row["high"]) == pytest.approx((1.0, 1.0, 1.0))
    row = placed(three(ceiling, floor, ceiling), generator="independent")
    assert (row["position"], row["low"], row["high"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("direction", "value", "floor", "ceiling"),
    [("down", 0.3, 0.5, 0.1), ("half", 0.3, 0.1, 0.5), ("half", 0.7, 0.1, 0.5), ("zero", -0.2, 0.4, 0.0)],
)
def test_positions_follow_the_direction(direction, value, floor, ceiling):
    row = placed(three([value] * 3, [floor] * 3, [ceiling] * 3, direction=direction))
    assert row["position"] == pytest.approx(0.5)
    assert (row["floor"], row["ceiling"]) == (pytest.approx(floor), pytest.approx(ceiling))


def test_utility_is_placed_below_models_trained_on_real_rows():
    frame = frame_of(
        {("vae", "tstr_f1_xgboost"): [0.6, 0.7], ("independent", "tstr_f1_xgboost"): [0.4, 0.5],
         ("real", "trtr_f1_xgboost"): [0.8, 0.9], ("real", "trtr_f1_random_forest"): [0.1, 0.1]}
    )  # fmt: skip
    assert placed(frame, "tstr_f1_xgboost")["position"] == pytest.approx(0.5)
    assert noise(frame, "tstr_f1_xgboost").to_dict() == pytest.approx({"d": np.std([0.8, 0.9], ddof=1)})


def test_privacy_is_placed_between_copies_and_fresh_rows():
    values = {("vae", "m"): [0.3, 0.3], ("bootstrap", "m"): [1.0, 1.0], ("real", "m"): [0.0, 0.0]}
    values[("independent", "m")] = [0.9, 0.9]
    assert placed(frame_of(values, axis="privacy", direction="down"))["position"] == pytest.approx(0.7)


def test_splits_are_paired():
    # The table's difficulty moves all three; only the shared splits count.
    base = np.array([0.0, 0.3, 0.6, 0.9])
    frame = three(base + 0.1, base, base + 0.2)
    row = placed(frame)
    assert (row["position"], row["low"], row["high"]) == pytest.approx((0.5, 0.5, 0.5))
    frame.loc[(frame["generator"] == "real") & (frame["split"] == 3), "value"] = math.nan
    frame.loc[(frame["generator"] == "vae") & (frame["split"] == 0), "value"] = math.nan
    row = placed(frame)
    assert row["position"] == pytest.approx(0.5) and row["splits"] == 2 and row["floor"] == pytest.approx(0.45)


def test_no_position_where_the_ends_are_not_told_apart():
    row = placed(three([0.5, 0.6, 0.7], [0.5, 0.7, 0.4], [0.6, 0.5, 0.6]))
    assert (
        row[["position", "low", "high"]].isna().all()
        and row["reason"] == "floor and ceiling do not differ beyond noise"
    )
    same = placed(three([0.5, 0.6], [1.0, 1.0], [1.0, 1.0]))
    assert "do not differ" in same["reason"]
    turned = placed(three([0.5, 0.6], [0.9, 0.91], [0.5, 0.51]))
    assert "the ceiling is below the floor by 0.4" in turned["reason"] and math.isnan(turned["position"])
    with pytest.raises(ValueError, match="not told from 0"):
        ratio_interval(np.array([0.1, 0.2]), np.array([1.0, -1.0]), RESAMPLING)


def test_a_missing_end_or_generator_is_a_reason():
    frame = three([0.7, 0.8], [0.5, 0.5], [0.9, 0.9])
    assert placed(frame[frame["generator"] != "real"])["reason"] == "no score of the ceiling real (m)"
    assert placed(frame[frame["generator"] != "independent"])["reason"] == "no score of the floor independent"
    assert placed(three([math.nan] * 2, [0.5, 0.5], [0.9, 0.9]))["reason"] == "no score of vae"
    assert "an interval needs 2" in placed(three([0.7], [0.5], [0.9]))["reason"]


def test_rows_are_those_asked_for():
    frame = three([0.7, 0.8], [0.5, 0.5], [0.9, 0.9])
    both = pd.concat(
        [frame, three([0.7, 0.8], [0.5, 0.5], [0.9, 0.9], dataset="e"), frame.assign(condition="minority")]
    )
    found = positions(both, ["m"], RESAMPLING)
    assert found[["dataset", "generator"]].to_numpy().tolist() == [[d, g] for d in "de" for g in ("independent", "vae")]
    assert noise(both, "m").to_dict() == {"d": 0.0, "e": 0.0}
    with pytest.raises(ValueError, match="no score of"):
        positions(frame, ["m", "absent"], RESAMPLING)
    with pytest.raises(ValueError, match="no score of 'absent'"):
        noise(frame, "absent")
