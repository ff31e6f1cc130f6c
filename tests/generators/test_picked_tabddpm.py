"""picked_tabddpm: weights of candidates, what picking puts right, what sharpness does, posteriors of boosted trees."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import toys
from synthcohort.generators import load as registry
from synthcohort.generators.guided_tabddpm import GuidedTabDDPM
from synthcohort.generators.parts import posterior
from synthcohort.generators.parts.posterior import Posterior
from synthcohort.generators.picked_tabddpm import PickedTabDDPM, choose
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
SMALL = {"width": 16, "depth": 1, "max_steps": 20, "batch_size": 32, "evaluate_every": 5, "steps": 4, "rounds": 5}
TREES = {"rounds": 20, "depth": 2, "rate": 0.3}


def known(n=2_000):
    """height ~ N(12 sex + 6 ill, 3), P(ill | f) = 0.1, P(ill | m) = 0.4."""
    draw = Rng(5).numpy()
    sex = draw.integers(0, 2, n)
    ill = (draw.random(n) < np.where(sex == 1, 0.4, 0.1)).astype(int)
    height = np.round(160 + 12 * sex + 6 * ill + 3 * draw.standard_normal(n), 1)
    frame = pd.DataFrame({"height": height, "sex": np.array(["f", "m"])[sex], "ill": np.array(["no", "yes"])[ill]})
    schema = Schema(
        (
            Column("height", "numeric", low=float(height.min()), high=float(height.max()), decimals=1),
            Column("sex", "categorical", role="sensitive", levels=("f", "m")),
            Column("ill", "categorical", role="target", levels=("no", "yes")),
        ),
        positive="yes",
    )
    return schema.cast(frame), schema


def balanced(n):
    sex, ill = np.tile(["f", "m"], n // 2), np.repeat(["no", "yes"], n // 2)
    return pd.DataFrame(
        {"sex": pd.Categorical(sex, categories=["f", "m"]), "ill": pd.Categorical(ill, categories=["no", "yes"])}
    )


@pytest.fixture(scope="module")
def usual():
    frame, schema = toys.mixed(120)
    return registry.build("picked_tabddpm", SMALL).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


class Blurred(PickedTabDDPM):
    """Draws real rows of the group, whatever label was asked for: right of the rows, wrong of the label."""

    def _walked(self, given, settings, rng):
        draw, cells = rng.numpy(), given.numpy()
        frame, sex = known()[0], cells[:, 1]
        rows = np.array([draw.choice(np.flatnonzero(frame["sex"].cat.codes == code), len(sex)) for code in (0, 1)])
        drawn = frame.iloc[rows[sex, np.arange(len(sex))]].reset_index(drop=True)
        return drawn.assign(ill=pd.Categorical.from_codes(cells[:, 0], categories=["no", "yes"]))


@pytest.fixture(scope="module")
def dull():
    frame, schema = known()
    return Blurred(width=8, depth=1, max_steps=5, steps=3, rounds=40).fit(frame, schema, rng=RNG)


def by_label(drawn):
    """Return the mean difference of heights between the labels, within the groups."""
    means = drawn.groupby(["sex", "ill"], observed=True)["height"].mean()
    return float(np.mean([means[sex, "yes"] - means[sex, "no"] for sex in ("f", "m")]))


def test_one_candidate_is_the_draw_of_the_guided_method():
    frame, schema = toys.mixed(120)
    plain = {name: value for name, value in SMALL.items() if name != "rounds"}
    guided = GuidedTabDDPM(**plain).fit(frame, schema, rng=RNG)
    picked = PickedTabDDPM(**SMALL).fit(frame, schema, rng=RNG)
    assert_frame_equal(picked.sample(30, rng=RNG, candidates=1), guided.sample(30, rng=RNG))
    assert not picked.sample(30, rng=RNG).equals(guided.sample(30, rng=RNG))


def test_a_weight_is_the_ratio_of_the_posteriors_times_that_of_the_joint_asked_for(usual, monkeypatch):
    """By hand: P = (.8, .2), Q = (.5, .5); for group 1 the ask has three times the odds of the second label."""
    logs = [np.log([[0.8, 0.2]] * 2), np.log([[0.5, 0.5]] * 2)]
    monkeypatch.setattr(usual, "posteriors", [_Says(own) for own in logs])
    shift = {(1,): np.array([0.0, np.log(3.0)])}
    cells = np.array([[0, 1], [1, 1]])
    found = usual._log_weights(None, cells, shift, sharpness=2.0)
    asked = np.array([0.8, 0.6]) / 1.4  # in proportion to .8 and .2 * 3
    assert np.exp(found) == pytest.approx([0.8 / 0.5 * asked[0] ** 2, 0.2 / 0.5 * asked[1] ** 2])


def test_the_shift_is_of_counts_asked_for_to_counts_of_the_train_rows(usual, monkeypatch):
    monkeypatch.setattr(usual, "groups", np.array([[0, 0], [1, 0], [0, 1]]))
    monkeypatch.setattr(usual, "counts", np.array([9, 1, 5]))
    found = usual._shift(np.array([[0, 0], [1, 0], [1, 0], [1, 1]]))
    assert found[(0,)] == pytest.approx(np.log([1.5 / 9.5, 2.5 / 1.5]))
    assert found[(1,)] == pytest.approx(np.log([0.5 / 5.5, 1.5 / 0.5]))


def test_candidates_are_kept_in_proportion_to_their_weights():
    weights = np.log(np.tile([[0.6], [0.3], [0.1]], (1, 20_000)))
    shares = np.bincount(choose(weights + 7.0, RNG), minlength=3) / 20_000
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.015)
    assert (choose(np.array([[0.0, -np.inf], [-np.inf, 0.0]]), RNG) == [0, 1]).all()


def test_picking_puts_right_what_the_network_does_not_know(dull):
    """Of rows that say nothing of the label those are kept that say it as real ones do: it is worth 6."""
    asked = balanced(2_000)
    differences = [
        by_label(dull.sample(2_000, rng=RNG, conditions=asked, candidates=m, sharpness=0.0)) for m in (1, 4, 24)
    ]
    assert abs(differences[0]) < 1
    assert differences[0] + 1 < differences[1] < differences[2]
    assert differences[2] == pytest.approx(6, abs=0.7)


def test_sharpness_makes_rows_clearer_about_their_label_and_less_so_below_zero(dull):
    asked = balanced(2_000)
    found = [
        by_label(dull.sample(2_000, rng=RNG, conditions=asked, candidates=12, sharpness=a)) for a in (-0.9, 0.0, 2.0)
    ]
    assert found[0] + 1 < found[1] < found[2] - 1


def test_rows_come_back_as_asked_and_none_is_kept_twice(dull, monkeypatch):
    asked = balanced(400)
    seen = {}
    plain = dull._walked
    monkeypatch.setattr(dull, "_walked", lambda *a: seen.setdefault("rows", plain(*a)))
    drawn = dull.sample(400, rng=RNG, conditions=asked, candidates=3)
    assert_frame_equal(drawn[["sex", "ill"]], asked)
    assert len(seen["rows"]) == 1_200
    pool = seen["rows"]["height"].to_numpy().reshape(3, 400)
    assert (pool == drawn["height"].to_numpy()).any(axis=0).all()  # row i is one of its own three


def test_a_numeric_target_has_nothing_to_pick_by():
    frame, schema = toys.numeric(80)
    model = PickedTabDDPM(**SMALL).fit(frame, schema, rng=RNG)
    assert model.posteriors == []
    assert_frame_equal(model.sample(9, rng=RNG), model.sample(9, rng=RNG, candidates=1))


@pytest.mark.parametrize(
    "change",
    [{"candidates": 2}, {"sharpness": 4.0}, {"rounds": 30}, {"tree_depth": 1}, {"tree_rate": 1.0}],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_of_its_own_changes_rows(usual, change):
    frame, schema = toys.mixed(120)
    other = registry.build("picked_tabddpm", {**SMALL, **change})
    other.fit(frame[:90], schema, rng=RNG, validation=frame[90:])
    assert not other.sample(60, rng=RNG).equals(usual.sample(60, rng=RNG))
    option = {name: value for name, value in change.items() if name in usual.sampling_options}
    if option:
        assert usual.sample(60, rng=RNG, **option).equals(other.sample(60, rng=RNG))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": 0}, "candidates=0 must be at least 1"),
        ({"sharpness": float("inf")}, "sharpness=inf must be a finite"),
        ({"rounds": 0}, "rounds=0 must be"),
        ({"tree_depth": 0}, "tree_depth=0 must be"),
        ({"tree_rate": 0.0}, r"tree_rate=0.0 is not in \(0, 1\]"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        registry.build("picked_tabddpm", change)


def test_posteriors_are_learned_kept_from_zero_and_the_same_after_a_round_trip():
    frame, schema = known(4_000)
    found = Posterior.fit(frame, schema, **TREES, rng=RNG)
    logs = found.log_probabilities(frame)
    assert logs.shape == (4_000, 2) and logs.min() >= np.log(posterior.LEAST) and logs.max() <= 0
    shares = np.exp(logs[:, 1])
    for sex, share in (("f", 0.1), ("m", 0.4)):
        assert shares[frame["sex"] == sex].mean() == pytest.approx(share, abs=0.03)
    low, high = (shares[(frame["sex"] == "m") & (frame["height"].between(a, a + 2))].mean() for a in (168, 180))
    assert low < 0.15 and high > 0.7
    again = Posterior.restore(schema, found.state())
    assert (again.log_probabilities(frame) == logs).all() and found.count() > 20


def test_posteriors_of_three_labels_sum_to_one():
    frame, schema = toys.categorical(300)
    logs = Posterior.fit(frame, schema, **TREES, rng=RNG).log_probabilities(frame)
    assert logs.shape == (300, 3) and np.exp(logs).sum(axis=1) == pytest.approx(np.ones(300), abs=0.01)


class _Says:
    def __init__(self, logs):
        self.logs = logs

    def log_probabilities(self, rows):
        return self.logs
