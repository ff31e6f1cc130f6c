"""Laws whose conditionals are known: draws have their mean, variance and probabilities; points come near their mean."""

import numpy as np
import pandas as pd
import pytest
from imputer_toys import NAMES, SCHEMA, gaussian, given
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

import toys
from synthcohort.imputers.boosting import Boosting
from synthcohort.imputers.forests import Forests
from synthcohort.imputers.gain import GAIN
from synthcohort.imputers.k_nearest_neighbours import KNearestNeighbours
from synthcohort.imputers.mean_mode import MeanMode
from synthcohort.imputers.mice import MICE
from synthcohort.imputers.parts.design import Design
from synthcohort.metrics.imputation import crps, interval
from synthcohort.missingness import hide, mcar
from synthcohort.rng import Rng


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    """1,500 rows of the Gaussian law, a fifth of their cells hidden."""
    frame = gaussian(1500, 1)
    return hide(frame, mcar(frame, SCHEMA, rate=0.2, rng=Rng(1)))


@pytest.fixture(scope="module")
def mice() -> MICE:
    """MICE fitted to 8,000 rows of the law, a fifth of their cells hidden."""
    frame = gaussian(8000, 1)
    return MICE().fit(hide(frame, mcar(frame, SCHEMA, rate=0.2, rng=Rng(1))), SCHEMA, rng=Rng(2))


def without(frame: pd.DataFrame, hidden: list[int]) -> pd.DataFrame:
    """Return the frame without the cells of the columns `hidden`."""
    return frame.assign(**{NAMES[j]: np.nan for j in hidden})


def draws_of(imputer, row: np.ndarray, hidden: list[int], count: int) -> np.ndarray:
    """Return draws [count, h] of the hidden cells of one row [3]."""
    rows = without(pd.DataFrame([row] * count, columns=list(NAMES)), hidden)
    return imputer.impute(rows, rng=Rng(5))[0].to_numpy()[:, hidden]


def agrees(drawn: np.ndarray, row: np.ndarray, hidden: list[int]) -> bool:
    """Whether draws have the conditional mean (within 0.1 sd) and covariance (within 12 % of the variances).

    About 6,000 rows leave a regression plane an error of 0.03 sd at two sd from the mean and a variance 2 %; 4,000
    draws leave their mean 0.016 sd and their variance 2 %. The bounds are about three errors.
    """
    law = given(row, hidden)
    sd = np.sqrt(np.diag(law.covariance))
    off_mean = np.abs(drawn.mean(axis=0) - law.mean) / sd
    off_covariance = np.abs(np.cov(drawn, rowvar=False).reshape(law.covariance.shape) - law.covariance)
    return bool(off_mean.max() < 0.1 and (off_covariance / np.outer(sd, sd)).max() < 0.12)


@pytest.mark.parametrize("hidden", [[0], [1], [2], [0, 1], [0, 2], [1, 2]])
def test_mice_draws_the_conditional_law(mice, hidden):
    row = gaussian(20, 7).to_numpy()[hidden[0]]
    drawn = draws_of(mice, row, hidden, 4000)
    assert agrees(drawn, row, hidden)
    # The same oracle on planted faults: too little spread, a shifted mean, the right spread around the wrong mean.
    centre = drawn.mean(axis=0)
    assert not agrees(centre + 0.8 * (drawn - centre), row, hidden)
    assert not agrees(drawn + 0.25, row, hidden)


def test_mice_is_the_librarys_chain_on_numeric_columns(train):
    design = Design.standardised(train, SCHEMA)
    ours = MICE(rounds=4).fit(train, SCHEMA, rng=Rng(2))
    theirs = IterativeImputer(sample_posterior=True, max_iter=4, random_state=Rng(2).integer())
    theirs.fit(design.matrix(train))
    theirs.random_state_ = np.random.RandomState(np.random.MT19937(Rng(5).branch("draw", 0).integer()))
    expected = design.frame(theirs.transform(design.matrix(train.head(50)))).to_numpy()
    got = ours.impute(train.head(50), rng=Rng(5))[0].to_numpy()
    assert got == pytest.approx(expected)


def test_mice_draws_differ_by_what_is_unknown(mice):
    test = gaussian(400, 9)
    mask = np.zeros((400, 3), dtype=bool)
    mask[:, 1] = True
    drawn = np.stack([d["b"] for d in mice.impute(without(test, [1]), rng=Rng(3), draws=19)])
    low, high = interval(drawn)
    covered = ((low <= test["b"]) & (test["b"] <= high)).mean()
    assert abs(covered - 0.9) < 3 * np.sqrt(0.09 / 400)
    law = given(test.to_numpy()[0], [1])
    sd = np.sqrt(law.covariance[0, 0])
    assert crps(test["b"].to_numpy(), drawn).mean() == pytest.approx(sd / np.sqrt(np.pi), rel=0.1)  # E of a true normal


def test_mice_draws_levels_with_about_their_probabilities():
    frame, schema = toys.categorical(1500, 3)
    train = hide(frame, mcar(frame, schema, rate=0.2, rng=Rng(1)))
    rows = frame.assign(drug=pd.Categorical([None] * len(frame), categories=["x", "y", "z"]))
    drawn = MICE().fit(train, schema, rng=Rng(2)).impute(schema.cast(rows), rng=Rng(3))[0]
    for ward in frame["ward"].cat.categories:
        of = (frame["ward"] == ward).to_numpy()
        gap = (drawn["drug"][of].value_counts(True) - frame["drug"][of].value_counts(True)).abs()
        assert gap.max() < 0.12  # rounding a Gaussian draw is biased: 0.12 of a level is what is promised here


def off_the_conditional_mean(imputer, draws=1):
    """Return the root mean square of draws' mean less conditional mean of column b, in conditional sd."""
    test = gaussian(300, 11)
    drawn = imputer.impute(without(test, [1]), rng=Rng(3), draws=draws)
    centre = np.mean([d["b"].to_numpy() for d in drawn], axis=0)
    laws = [given(row, [1]) for row in test.to_numpy()]
    gap = centre - np.array([law.mean[0] for law in laws])
    return float(np.sqrt(np.mean(gap**2) / laws[0].covariance[0, 0]))


def test_points_come_nearer_to_the_conditional_mean_than_the_mean_does(train):
    floor = off_the_conditional_mean(MeanMode().fit(train, SCHEMA, rng=Rng(1)))
    assert floor == pytest.approx(1.0, abs=0.15)  # b's explained variance is about its conditional one
    for imputer in (KNearestNeighbours(neighbours=10), Forests(trees=30, rounds=2)):
        assert off_the_conditional_mean(imputer.fit(train, SCHEMA, rng=Rng(1))) < 0.8 * floor, imputer.name


def test_gain_learns_columns_that_all_but_decide_each_other():
    draw = np.random.default_rng(0)
    z = draw.random((1500, 1))
    cells = np.concatenate([z, 1 - z, z**2], axis=1) + 0.03 * draw.standard_normal((1500, 3))
    frame = pd.DataFrame(cells, columns=list(NAMES))
    mask = mcar(frame, SCHEMA, rate=0.2, rng=Rng(1))
    rows = hide(frame, mask)
    errors = []
    for imputer in (MeanMode(), GAIN(max_steps=500, learning_rate=1e-2)):
        whole = imputer.fit(rows, SCHEMA, rng=Rng(1)).impute(rows, rng=Rng(1))[0]
        errors.append(np.abs((whole - frame).to_numpy()[mask]).mean())
    assert errors[1] < 0.7 * errors[0]  # a short fit; the mean is off by a quarter of the range


def test_mean_mode_is_the_mean_and_the_mode(train):
    whole = MeanMode().fit(train, SCHEMA, rng=Rng(1)).impute(train, rng=Rng(1))[0]
    for name in NAMES:
        assert whole[name][train[name].isna()].to_numpy() == pytest.approx(train[name].mean())
    frame, schema = toys.categorical(50)
    rows = hide(frame, mcar(frame, schema, rate=0.3, rng=Rng(1)))
    whole = MeanMode().fit(rows, schema, rng=Rng(1)).impute(rows, rng=Rng(1))[0]
    assert (whole["ward"][rows["ward"].isna()] == rows["ward"].mode()[0]).all()


@pytest.fixture(scope="module")
def boosting(train) -> Boosting:
    return Boosting(rounds=3).fit(train, SCHEMA, rng=Rng(2))


def test_boosting_lends_values_that_somebody_has_with_the_spread_of_the_law(boosting, train):
    test = gaussian(400, 9)
    drawn = np.stack([d["b"] for d in boosting.impute(without(test, [1]), rng=Rng(3), draws=19)])
    assert np.isin(drawn, train["b"].dropna()).all()
    assert off_the_conditional_mean(boosting, draws=19) < 0.6
    residual = np.array([given(row, [1]).mean[0] for row in test.to_numpy()]) - drawn
    law = given(test.to_numpy()[0], [1])
    assert residual.var() == pytest.approx(law.covariance[0, 0], rel=0.3)
    low, high = interval(drawn)
    assert 0.8 < ((low <= test["b"]) & (test["b"] <= high)).mean() < 0.95  # the trees' own error is in no draw


class Unfolded:
    """Stands for `KFold`: one model, fitted to the donors it predicts."""

    def __init__(self, *_, **__):
        pass

    def split(self, features):
        yield np.arange(len(features)), np.arange(len(features))


def test_donors_predicted_by_a_model_that_has_seen_them_are_too_much_alike(train, monkeypatch):
    few, test = train.head(300), gaussian(300, 9)

    def spread():
        imputer = Boosting(rounds=2, trees=100).fit(few, SCHEMA, rng=Rng(2))
        drawn = np.stack([d["b"] for d in imputer.impute(without(test, [1]), rng=Rng(3), draws=19)])
        return drawn.var(axis=0, ddof=1).mean() / given(test.to_numpy()[0], [1]).covariance[0, 0]

    assert 0.75 < spread() < 1.5
    monkeypatch.setattr("synthcohort.imputers.boosting.KFold", Unfolded)
    assert spread() < 0.5


def test_boosting_draws_levels_with_their_probabilities():
    frame, schema = toys.categorical(1500, 3)
    train = hide(frame, mcar(frame, schema, rate=0.2, rng=Rng(1)))
    rows = schema.cast(frame.assign(drug=pd.Categorical([None] * len(frame), categories=["x", "y", "z"])))
    drawn = Boosting(rounds=2, trees=30).fit(train, schema, rng=Rng(2)).impute(rows, rng=Rng(3))[0]
    for ward in frame["ward"].cat.categories:
        of = (frame["ward"] == ward).to_numpy()
        gap = (drawn["drug"][of].value_counts(True) - frame["drug"][of].value_counts(True)).abs()
        assert gap.max() < 0.08
