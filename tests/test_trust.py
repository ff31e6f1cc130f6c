"""The answer for a table: best by mean, ties by paired interval, no prize for failing, no sentinel on the podium."""

import math

import pandas as pd
import pytest

from synthcohort.comparison.intervals import Arm, Resampling
from synthcohort.report.trust import MEMORISATION_LIMIT, answer, choose
from synthcohort.report.verdicts import sentences

HOW = Resampling(confidence=0.95, test_to_train=0.25)
UTILITY = "tstr_auroc_xgboost"


def _rows(generator, metric, values, condition="as_observed", direction="up"):
    return [
        {"dataset": "t", "generator": generator, "condition": condition, "split": k, "axis": "utility",
         "metric": metric, "value": value, "n": 50, "direction": direction,
         "note": "" if math.isfinite(value) else "lost"}
        for k, value in enumerate(values)
    ]  # fmt: skip


def _frame(*parts):
    return pd.DataFrame([row for part in parts for row in part])


def test_the_best_has_the_best_mean_and_ties_are_those_the_pairs_cannot_tell_apart():
    frame = _frame(
        _rows("a", UTILITY, [0.90, 0.80, 0.70]),
        _rows("near", UTILITY, [0.91, 0.78, 0.70]),
        _rows("far", UTILITY, [0.80, 0.70, 0.60]),  # exactly 0.1 below on every split: no doubt
    )
    best = choose(frame, UTILITY, [Arm("a"), Arm("near"), Arm("far")], HOW)
    assert best.best == Arm("a") and best.ties == ("near",)
    assert best.interval.mean == pytest.approx(0.8) and best.interval.splits == 3


def test_a_generator_that_failed_on_a_hard_split_cannot_win_by_that():
    frame = _frame(_rows("a", UTILITY, [0.9, 0.9, 0.5]), _rows("b", UTILITY, [0.91, 0.91, math.nan]))
    assert choose(frame, UTILITY, [Arm("a"), Arm("b")], HOW).best == Arm("a")


def test_no_score_no_choice():
    assert choose(_frame(_rows("a", UTILITY, [math.nan])), UTILITY, [Arm("a")], HOW) is None


def test_directions_are_respected():
    frame = _frame(
        _rows("a", "c2st_xgboost", [0.3, 0.3], direction="half"),
        _rows("b", "c2st_xgboost", [0.6, 0.6], direction="half"),
    )
    assert choose(frame, "c2st_xgboost", [Arm("a"), Arm("b")], HOW).best == Arm("b")


def _table(copying):
    parts = [_rows("real", "trtr_auroc_xgboost", [0.95, 0.96, 0.94]), _rows("bootstrap", UTILITY, [0.99, 0.99, 0.99])]
    for name, value in copying.items():
        parts.append(_rows(name, UTILITY, [0.9, 0.91, 0.89]))
        parts.append(_rows(name, "memorisation", [value, value + 0.001, value - 0.001], direction="down"))
    parts.append(_rows("real", "augment_f1_xgboost", [0.5, 0.5, 0.5], condition="threshold"))
    parts.append(_rows("vae", "augment_f1_xgboost", [0.6, 0.61, 0.6], condition="minority_1.0"))
    return _frame(*parts)


def test_a_sentinel_is_never_the_answer_and_the_safe_one_is_named():
    found = answer(_table({"vae": 0.9, "copula": 0.1}), "t", HOW)
    assert found.utility.best.generator in ("vae", "copula")
    assert found.trusted.best == Arm("copula") and found.undecided == ()
    assert found.real.mean == pytest.approx(0.95) and found.loss.high < 0
    assert found.rival.best == Arm("real", "threshold") and found.gain.low > 0
    said = " ".join(sentences(found))
    assert "less than what the real train rows give" in said and "beats the best rival" in said


def test_a_method_at_the_limit_is_neither_safe_nor_unsafe():
    found = answer(_table({"vae": MEMORISATION_LIMIT}), "t", HOW)
    assert found.trusted is None and found.undecided == ("vae",)
    assert "Too few splits to tell for vae" in " ".join(sentences(found))


def test_the_worst_attack_on_the_one_to_hand_out_is_said():
    table = _table({"copula": 0.1})
    attacks = _frame(
        _rows("copula", "mia_auroc_distance", [0.51, 0.50, 0.49], direction="down"),
        _rows("copula", "mia_auroc_domias", [0.61, 0.60, 0.62], direction="down"),
    )
    found = answer(pd.concat([table, attacks], ignore_index=True), "t", HOW)
    assert found.attack.metric == "mia_auroc_domias" and found.attack.interval.mean == pytest.approx(0.61)
    assert "finds members: Membership AUROC" in " ".join(sentences(found))
    once = _frame(_rows("copula", "mia_auroc_shadow", [0.7], direction="down")).assign(low=0.4, high=0.9)
    found = answer(pd.concat([table, attacks, once], ignore_index=True), "t", HOW)
    assert found.attack.metric == "mia_auroc_shadow" and found.attack.interval.low == 0.4
    assert "does not surely find members" in " ".join(sentences(found))
    assert answer(table, "t", HOW).attack is None
