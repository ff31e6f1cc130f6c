"""Is the simulated registry's law the one its text states?"""

from __future__ import annotations

import hashlib
from math import cosh, exp, log, log1p, sinh

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from synthcohort.datasets import rare_liver
from synthcohort.datasets.rare_liver import SCHEMA, case_probability, draw, registry
from synthcohort.rng import Rng
from synthcohort.schema import write_frame

CASES = 103
SHA256 = "28094e720ff951832ea8b9e58578e3657ce5d84609dabce87b836ad93cbb801e"


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return draw(200_000, Rng(7))


def test_the_probability_is_the_stated_formula() -> None:
    """One row by hand: woman of 30, bmi 31, heavy drinker, CG, titre 1:160, igg 18, alt 120, bilirubin 25, ..."""
    row = {"age": 30.0, "sex": "female", "bmi": 31.0, "alcohol": "heavy", "genotype": "CG", "ana_titre": "1:160"}
    row |= {"igg": 18.0, "alt": 120.0, "bilirubin": 25.0, "albumin": 36.0, "platelets": 140.0, "inr": 1.3}
    l = log(120 / 45)
    score = (
        -4.74 + 1.5 * 1.3 + 2.0 * sinh(l) / cosh(l) + 1.2 * log1p(exp(2.0))
        + 1.6 * exp(-((6 / 7) ** 2) / 2) + 1.2 * exp(-((28 / 9) ** 2) / 2)
        + 0.66 * log(25) / log(10) - 0.085 * 36 + 2.6
        + 0.9 - 1.2 * l * log1p(exp(1.5)) / 4 + 20 * log(250 / 140) * 0.3
    )  # fmt: skip
    frame = pd.DataFrame([{**row, "disease": "0"}])
    assert case_probability(frame)[0] == pytest.approx(1 / (1 + exp(-score)), rel=1e-12)
    assert case_probability(SCHEMA.cast(frame))[0] == case_probability(frame)[0]


def test_prevalence_and_the_best_possible_scores(fresh: pd.DataFrame) -> None:
    """The figures in the module's text: 5.0 %, AUROC .902, average precision .57, F1 .54."""
    p = case_probability(fresh)
    y = (fresh["disease"] == "1").to_numpy()
    assert abs(p.mean() - 0.05) < 0.0015
    assert abs(roc_auc_score(y, p) - 0.902) < 0.008
    assert abs(average_precision_score(y, p) - 0.567) < 0.02
    precision, recall, _ = precision_recall_curve(y, p)
    assert abs((2 * precision * recall / (precision + recall + 1e-12)).max() - 0.541) < 0.02


def test_cases_occur_as_often_as_their_probability_says(fresh: pd.DataFrame) -> None:
    """In each of 20 bins of p the number of cases is within 4 standard deviations of the sum of p."""
    p, y = case_probability(fresh), (fresh["disease"] == "1").to_numpy()
    bins = np.searchsorted(np.quantile(p, np.linspace(0, 1, 21)[1:-1]), p)
    excess = np.bincount(bins, y - p) / np.sqrt(np.bincount(bins, p * (1 - p)))
    assert np.abs(excess).max() < 4


def test_dependence_is_there_and_not_linear(fresh: pd.DataFrame) -> None:
    """BMI rises and falls with age; ALT depends on BMI more steeply in carriers of the risk allele."""
    bmi = fresh.groupby(pd.cut(fresh["age"], [17, 30, 45, 70, 82, 90]), observed=True)["bmi"].mean().to_numpy()
    assert bmi[2] > bmi[0] + 2 and bmi[2] > bmi[4] + 1
    stout = fresh[fresh["bmi"] > 32].groupby("genotype", observed=True)["alt"].median()
    slim = fresh[fresh["bmi"] < 24].groupby("genotype", observed=True)["alt"].median()
    assert stout["GG"] - stout["CC"] > 10 and abs(slim["GG"] - slim["CC"]) < 4


def test_rows_satisfy_the_schema_and_do_not_pile_up_at_its_bounds(fresh: pd.DataFrame) -> None:
    SCHEMA.check(fresh)
    for column in SCHEMA.numeric:
        for bound in {column.low, column.high} - {1.0}:  # no INR is below 1
            assert (fresh[column.name] == bound).mean() < 0.005


def test_draws_depend_on_their_rng_alone() -> None:
    assert draw(50, Rng(1)).equals(draw(50, Rng(1)))
    assert not draw(50, Rng(1)).equals(draw(50, Rng(2)))
    assert draw(0, Rng(1)).shape == (0, 13)


def test_the_registry_is_the_recorded_one(tmp_path) -> None:
    frame = registry()
    assert frame.shape == (2000, 13)
    assert (frame["disease"] == "1").sum() == CASES
    write_frame(frame, tmp_path / rare_liver.FILE)
    assert hashlib.sha256((tmp_path / rare_liver.FILE).read_bytes()).hexdigest() == SHA256
