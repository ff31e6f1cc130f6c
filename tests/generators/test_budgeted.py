"""Generators that pay for every look at the rows: none overspends, none looks without paying, laws are learned."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import chisquare, kstest

import toys
from synthcohort.dp import mechanisms
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import BudgetExceeded, Ledger
from synthcohort.dp.pate import Votes
from synthcohort.generators import aim, load
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(34)
TABLES = ("privbayes", "mst", "aim")
QUICK = {
    "privbayes": {},
    "mst": {"rounds": 20},
    "aim": {"rounds": 20, "rounds_between": 3, "rounds_per_column": 3},
    "pate_gan": {"turns": 3, "batch_size": 8},
}
NAMES = list(QUICK)
FEWER = {"privbayes": {}, "mst": {"rounds": 150}, "aim": {"rounds": 150, "rounds_between": 10, "rounds_per_column": 4}}


def _table(codes: dict[str, np.ndarray], sizes: dict[str, int]) -> tuple[pd.DataFrame, Schema]:
    """A table of categories named by their numbers; the last column is the target."""
    levels = {name: tuple(str(k) for k in range(sizes[name])) for name in codes}
    last = list(codes)[-1]
    columns = [Column(c, "categorical", role="target" if c == last else "feature", levels=levels[c]) for c in codes]
    schema = Schema(tuple(columns), levels[last][-1])
    return schema.cast(pd.DataFrame({name: c.astype(str) for name, c in codes.items()})), schema


def _chain(n: int) -> tuple[pd.DataFrame, Schema, np.ndarray]:
    """Draw y -> a -> b with 2, 3 and 2 levels; return rows, schema and the law [a, b, y]."""
    p_a = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])
    p_b = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    law = (np.array([0.7, 0.3])[:, None, None] * p_a[:, :, None] * p_b[None]).transpose(1, 2, 0)
    a, b, y = np.unravel_index(RNG.branch("chain").numpy().choice(12, n, p=law.ravel()), law.shape)
    return *_table({"a": a, "b": b, "y": y}, {"a": 3, "b": 2, "y": 2}), law


def _counts(frame: pd.DataFrame) -> np.ndarray:
    shape = [len(frame[c].cat.categories) for c in frame.columns]
    key = np.ravel_multi_index([frame[c].cat.codes for c in frame.columns], shape)
    return np.bincount(key, minlength=math.prod(shape)).reshape(shape)


# ---- the budget ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_no_setting_overspends_and_the_ledger_explains_it(name, seed) -> None:
    draw = RNG.branch("settings", name, seed).numpy()
    settings = {
        "epsilon": float(np.exp(draw.uniform(np.log(0.1), np.log(40)))),
        "delta": [None, 1e-6, 1e-3][draw.integers(3)],
        "bins": int(draw.integers(1, 40)),
        "least_signal": float(draw.uniform(0, 5)),
        "histogram_share": float(draw.uniform(0.05, 0.7)),
    }
    more = {
        "privbayes": {"degree": int(draw.integers(1, 4)), "structure_share": 0.2, "theta": float(draw.uniform(1, 6))},
        "aim": {"order": int(draw.integers(1, 4)), "rounds_per_column": int(draw.integers(1, 6))},
        "pate_gan": {"teachers": int(draw.integers(1, 9))},
    }
    frame, schema = list(toys.ALL.values())[seed % 3](70)
    model = load.build(name, {**QUICK[name], **settings, **more.get(name, {})}).fit(frame, schema, rng=RNG)
    spent = model.privacy_spent()
    assert 0.95 * settings["epsilon"] < spent.epsilon <= settings["epsilon"]  # nor does it leave much unused
    assert spent.delta == (settings["delta"] or 1 / 700) < 1 / 70
    assert "seeded noise" in spent.accountant
    assert "together: epsilon" in model.composition
    assert all(f"histogram of {c}" in model.composition for c in schema.names)


@pytest.mark.parametrize("name", NAMES)
def test_a_ledger_that_refuses_stops_the_fit(name, monkeypatch) -> None:
    def refuse(ledger: Ledger, entry: object) -> None:
        raise BudgetExceeded("no")

    monkeypatch.setattr(Ledger, "_spend", refuse)
    frame, schema = toys.mixed(60)
    with pytest.raises(BudgetExceeded):
        load.build(name, QUICK[name]).fit(frame, schema, rng=RNG)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.0}, "epsilon=0.0 must be positive"),
        ({"epsilon": -1.0}, "epsilon=-1.0 must be positive"),
        ({"delta": 0.0}, "delta=0.0 is not in"),
        ({"delta": 1.5}, "delta=1.5 is not in"),
        ({"bins": 0}, "bins=0 must be at least 1"),
        ({"histogram_share": 1.0}, "histogram_share=1.0 is not in"),
    ],
)
def test_settings_out_of_range_are_refused(name, change, message) -> None:
    with pytest.raises(ValueError, match=message):
        load.build(name, change)


@pytest.mark.parametrize("name", NAMES)
def test_delta_and_bounds_are_checked_before_a_row_is_looked_at(name, monkeypatch) -> None:
    frame, schema = toys.mixed(60)
    monkeypatch.setattr("synthcohort.generators.parts.private_table._fine", None)  # any look at the rows would fail
    with pytest.raises(PrivacyError, match=r"delta=0.02 must be below 1 / n"):
        load.build(name, {"delta": 0.02}).fit(frame, schema, rng=RNG)
    free = Schema((Column("age", "numeric", decimals=0), *schema.columns[1:]), "yes")
    with pytest.raises(PrivacyError, match="column 'age' has bounds"):
        load.build(name, {}).fit(frame, free, rng=RNG)


def test_privbayes_leaves_something_for_its_tables() -> None:
    with pytest.raises(ValueError, match=r"structure_share=0\.7"):
        load.build("privbayes", {"structure_share": 0.7})
    with pytest.raises(ValueError, match="theta=0"):
        load.build("privbayes", {"theta": 0.0})


# ---- nothing is free -------------------------------------------------------------------------------------------------


def _other_rows(schema: Schema, n: int) -> pd.DataFrame:
    """Rows that have nothing in common with a toy table but its schema and their number."""
    cells = {c.name: np.full(n, c.low if c.numeric else c.levels[0]) for c in schema.columns}
    return schema.check(schema.cast(pd.DataFrame(cells)))


@pytest.fixture
def deaf(monkeypatch) -> None:
    """Every mechanism answers with its noise alone, whatever the rows say."""

    def noise_alone(mechanism):
        return lambda answer, **settings: mechanism(np.zeros(np.shape(answer)), **settings)

    for name in ("gaussian", "laplace", "exponential"):
        monkeypatch.setattr(mechanisms, name, noise_alone(getattr(mechanisms, name)))
    majority = Votes.majority
    monkeypatch.setattr(Votes, "majority", lambda self, votes: majority(self, np.zeros_like(votes)))


def _two_fits(name: str) -> list[pd.DataFrame]:
    frame, schema = toys.mixed(80)
    return [
        load.build(name, {**QUICK[name], "epsilon": 50.0}).fit(rows, schema, rng=RNG).sample(60, rng=RNG)
        for rows in (frame, _other_rows(schema, 80))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_where_mechanisms_say_nothing_the_rows_leave_no_trace(name, deaf) -> None:
    """Two quite different tables then give the same rows: no look at them passed by the mechanisms."""
    one, other = _two_fits(name)
    assert_frame_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_where_they_speak_other_rows_give_other_rows(name) -> None:
    one, other = _two_fits(name)
    assert not one.equals(other)


# ---- sensitivity -----------------------------------------------------------------------------------------------------


def test_one_row_changes_the_choices_of_mst_and_aim_by_one_at_most() -> None:
    """|M - e|_1 over all 2 x 2 tables of up to four rows, every row made blank; the law e is public and any."""
    expected = RNG.numpy().random((20, 4)) * 3
    most = 0.0
    for counts in itertools.product(range(5), repeat=4):
        for gone in np.flatnonzero(counts):
            less = np.array(counts) - np.eye(4)[gone]
            change = np.abs(np.array(counts) - expected).sum(axis=1) - np.abs(less - expected).sum(axis=1)
            most = max(most, np.abs(change).max())
    assert most == pytest.approx(1.0)


def test_weights_of_aim_count_shared_columns() -> None:
    for d, order in ((4, 2), (5, 3), (3, 1)):
        matter = list(itertools.combinations(range(d), order))
        found = aim.candidates(d, order)
        assert set(found) == {r for k in range(1, order + 1) for r in itertools.combinations(range(d), k)}
        assert all(w == sum(len(set(r) & set(s)) for s in matter) for r, w in found.items())


def test_aim_scales_its_choice_by_the_largest_weight(monkeypatch) -> None:
    seen = []

    def spy(utility, *, sensitivity, epsilon, noise):
        seen.append(sensitivity)
        return exponential(utility, sensitivity=sensitivity, epsilon=epsilon, noise=noise)

    exponential = mechanisms.exponential
    monkeypatch.setattr(mechanisms, "exponential", spy)
    frame, schema = toys.categorical(100)
    load.build("aim", QUICK["aim"]).fit(frame, schema, rng=RNG)
    assert seen and set(seen) == {4.0}  # a pair of three columns: 2 C(2, 1)


# ---- laws ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rich() -> dict[str, tuple]:
    frame, schema, law = _chain(20_000)
    return {name: (load.build(name, {"epsilon": 1e6}).fit(frame, schema, rng=RNG), law) for name in TABLES}


@pytest.mark.parametrize("name", TABLES)
def test_a_known_law_is_learned_where_the_budget_is_ample(rich, name) -> None:
    model, law = rich[name]
    drawn = _counts(model.sample(20_000, rng=RNG)) / 20_000
    assert np.abs(drawn - law).sum() / 2 < 0.02
    for columns in ((0, 1), (0, 2), (1, 2)):
        rest = tuple(c for c in range(3) if c not in columns)
        assert np.abs(drawn.sum(axis=rest) - law.sum(axis=rest)).sum() / 2 < 0.015


@pytest.mark.parametrize("name", TABLES)
def test_a_class_that_is_asked_for_brings_its_own_law(rich, name) -> None:
    model, law = rich[name]
    asked = pd.DataFrame({"y": pd.Categorical(["1"] * 8000, categories=["0", "1"])})
    counts = _counts(model.sample(8000, rng=RNG, conditions=asked))
    assert counts[:, :, 0].sum() == 0
    fitted = model.law.marginal((0, 1, 2))[:, :, 1] if name != "privbayes" else law[:, :, 1]
    wanted = fitted / fitted.sum()
    assert np.abs(counts[:, :, 1] / 8000 - law[:, :, 1] / law[:, :, 1].sum()).sum() / 2 < 0.03
    if name != "privbayes":
        assert chisquare(counts[:, :, 1].ravel(), 8000 * wanted.ravel()).pvalue > 1e-3


@pytest.mark.parametrize("name", TABLES)
def test_numbers_keep_their_marginal_and_a_dependence(name) -> None:
    frame, schema = toys.mixed(3000)
    settings = {**FEWER[name], "epsilon": 1e4}
    drawn = load.build(name, settings).fit(frame, schema, rng=RNG).sample(3000, rng=RNG)
    fresh = toys.mixed(3000, seed=2)[0]
    assert kstest(drawn["age"], fresh["age"]).statistic < 0.05
    assert kstest(drawn["marker"], fresh["marker"]).statistic < 0.12  # a bin is even inside, and this one has a tail
    real, fake = (np.corrcoef(f["age"], f["marker"])[0, 1] for f in (fresh, drawn))
    assert fake == pytest.approx(real, abs=0.15)


@pytest.mark.parametrize("name", TABLES)
def test_a_numeric_target_can_be_asked_for(name) -> None:
    frame, schema = toys.numeric(1500)
    model = load.build(name, {**FEWER[name], "epsilon": 100.0}).fit(frame, schema, rng=RNG)
    low, high = (
        model.sample(400, rng=RNG, conditions=pd.DataFrame({"y": [round(y, 2)] * 400}))["visits"].mean()
        for y in frame["y"].quantile([0.1, 0.9], interpolation="nearest")
    )
    assert high > low + 1


@pytest.mark.parametrize("name", NAMES)
def test_noise_from_the_operating_system_never_repeats(name) -> None:
    frame, schema = toys.categorical(60)
    settings = {**QUICK[name], "cryptographic": True}
    fits = [load.build(name, settings).fit(frame, schema, rng=RNG) for _ in range(2)]
    assert "cryptographic noise" in fits[0].privacy_spent().accountant
    assert any(not np.array_equal(a, b) for a, b in zip(fits[0].table.shares, fits[1].table.shares))
