"""Adversarial random forest: its boxes, truncated laws and windows alone, then its density, draws and completions."""

import itertools

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import chisquare, kstest, norm, truncnorm
from sklearn.ensemble import RandomForestClassifier

import toys
from synthcohort.encoding import Encoder
from synthcohort.generators.arf import ARF
from synthcohort.generators.parts import partitions, ranks, truncated
from synthcohort.generators.parts.factorised import Members, pick, recombine
from synthcohort.generators.parts.gridded import Grid
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(12)
SMALL = {"trees": 24, "min_leaf": 8, "max_rounds": 3}


def _ward(n: int = 400) -> tuple[pd.DataFrame, Schema]:
    """Three columns with 4 x 3 x 2 cells in all: an integer, a category and the class they both follow."""
    draw = Rng(2).numpy()
    died = draw.integers(0, 2, n)
    visits = np.minimum(draw.poisson(0.6 + died, n), 3).astype(float)
    drug = np.where(draw.random(n) < 0.7, died + 1, draw.integers(0, 3, n))
    schema = Schema(
        (
            Column("visits", "numeric", low=0, high=3, decimals=0),
            Column("drug", "categorical", levels=("x", "y", "z")),
            Column("died", "categorical", role="target", levels=("no", "yes")),
        ),
        positive="yes",
    )
    texts = {"visits": visits, "drug": np.array(["x", "y", "z"])[drug], "died": np.array(["no", "yes"])[died]}
    return schema.check(schema.cast(pd.DataFrame(texts))), schema


def _every_cell(schema: Schema) -> pd.DataFrame:
    cells = itertools.product([0.0, 1.0, 2.0, 3.0], ["x", "y", "z"], ["no", "yes"])
    return schema.cast(pd.DataFrame(cells, columns=schema.names))


@pytest.fixture(scope="module")
def ward() -> ARF:
    frame, schema = _ward()
    return ARF(**SMALL).fit(frame, schema, rng=RNG)


@pytest.fixture(scope="module")
def mixed() -> ARF:
    frame, schema = toys.mixed(500)
    return ARF(trees=10).fit(frame, schema, rng=RNG)


# ---- boxes -----------------------------------------------------------------------------------------------------------


def _by_hand() -> partitions.Partition:
    """One tree: column 0 at 1; left again column 1 at 0; right is a leaf. Leaves: 0 = right, 1 and 2 = left's sides."""
    feature, threshold = np.array([0, 1, -1, -1, -1]), np.array([1, 0, 0, 0, 0])
    left, right = np.array([1, 3, -1, -1, -1]), np.array([2, 4, -1, -1, -1])
    return partitions.Partition(feature, threshold, left, right, np.array([0]))


def test_boxes_of_a_tree_by_hand() -> None:
    tree = _by_hand()
    assert tree.locate(np.array([[3, 0], [0, 0], [1, 2]])).tolist() == [[0], [1], [2]]
    assert [side.tolist() for side in tree.sides(0, 3)] == [[2, 0, 0], [3, 1, 1]]
    assert [side.tolist() for side in tree.sides(1, 2)] == [[0, 0, 1], [2, 0, 2]]


def test_pruning_by_hand() -> None:
    """A small side gives its box to the other side; two small sides leave one leaf; the root stays."""
    rows = np.array([[0, 0]] * 5 + [[0, 1]] * 1 + [[2, 0]] * 4)
    one_side = _by_hand().pruned(rows, 3)
    assert one_side.leaves == 2
    assert [side.tolist() for side in one_side.sides(1, 2)] == [[0, 0], [2, 2]]
    assert _by_hand().pruned(rows[[0, 1, 5, 6]], 2).leaves == 1
    assert _by_hand().pruned(rows, 100).leaves == 1


@pytest.fixture(scope="module")
def grown() -> tuple[RandomForestClassifier, np.ndarray, list[int]]:
    draw = RNG.numpy()
    top = [6, 3, 1]
    codes = np.stack([draw.integers(0, t + 1, 300) for t in top], axis=1)
    labels = (codes[:, 0] + codes[:, 1] + draw.integers(0, 4, 300) > 6).astype(int)
    forest = RandomForestClassifier(n_estimators=5, min_samples_leaf=3, random_state=0, n_jobs=1)
    return forest.fit(codes.astype(np.float32), labels), codes, top


@pytest.mark.parametrize("least", [0, 4, 20])
def test_boxes_of_every_tree_partition_the_cells(grown, least) -> None:
    forest, codes, top = grown
    boxes = partitions.of_forest(forest).pruned(codes, least)
    everything = np.array(list(itertools.product(*[range(t + 1) for t in top])))
    sides = [boxes.sides(i, t) for i, t in enumerate(top)]
    inside = [(c >= low) & (c <= high) for c, (low, high) in zip(everything.T[:, :, None], sides, strict=True)]
    holds = np.logical_and.reduce(inside)  # [cells, L]
    located = boxes.locate(everything)
    assert (holds.sum(axis=1) == 5).all()
    assert np.take_along_axis(holds, located, axis=1).all()
    assert np.bincount(boxes.locate(codes).ravel(), minlength=boxes.leaves).min() >= least


def test_rows_share_leaves_as_in_the_library(grown) -> None:
    forest, codes, _ = grown
    theirs, ours = forest.apply(codes.astype(np.float32)), partitions.of_forest(forest).locate(codes)
    for b in range(5):
        pairs = set(zip(theirs[:, b].tolist(), ours[:, b].tolist(), strict=True))
        assert len(pairs) == len(set(theirs[:, b])) == len(set(ours[:, b]))


def test_reach_finds_every_box_that_agrees_with_the_given_cells(grown) -> None:
    forest, codes, top = grown
    boxes = partitions.of_forest(forest)
    given = RNG.branch("given").numpy().random((40, 3)) < 0.5
    owner, leaf = boxes.reach(codes[:40], given)
    sides = [boxes.sides(i, t) for i, t in enumerate(top)]
    for row in range(40):
        agrees = np.ones(boxes.leaves, dtype=bool)
        for i in np.flatnonzero(given[row]):
            agrees &= (codes[row, i] >= sides[i][0]) & (codes[row, i] <= sides[i][1])
        assert sorted(leaf[owner == row].tolist()) == np.flatnonzero(agrees).tolist()
    assert (np.diff(owner) >= 0).all()


def test_recombined_rows_are_independent_inside_a_leaf_and_stay_in_it() -> None:
    codes = np.repeat([[0, 0], [0, 1], [5, 8], [6, 9]], 500, axis=0)
    leaf = (codes[:, :1] > 2).astype(np.int64)
    drawn = recombine(codes, Members(leaf, 2), RNG)
    low, high = drawn[drawn[:, 0] < 2], drawn[drawn[:, 0] > 2]
    assert set(low[:, 1]) == {0, 1} and set(high[:, 1]) == {8, 9}
    table = np.histogram2d(high[:, 0], high[:, 1], bins=2)[0]
    assert chisquare(table.ravel()).pvalue > 1e-3  # (5, 9) and (6, 8) as often as the real (5, 8) and (6, 9)


def test_pick_chooses_by_weight_within_the_owner() -> None:
    owner, weight = np.array([0, 0, 1, 1, 1]), np.log([1.0, 3.0, 2.0, 1e-9, 2.0]) + np.array([0, 0, -900, -900, -900])
    wanted, uniform = np.array([0, 0, 0, 1, 1]), np.array([0.0, 0.24, 0.26, 0.49, 0.51])
    assert pick(owner, weight, wanted, uniform).tolist() == [0, 0, 1, 2, 4]


# ---- truncated normal laws -------------------------------------------------------------------------------------------

ENDS = np.array([[-1.0, 2.0], [0.5, 0.9], [3.0, 8.0], [-9.0, -4.0], [-0.3, 5.0]])
MU, SIGMA = np.array([0.2, 0.0, 1.0, -2.0, -1.0]), np.array([1.0, 0.7, 1.5, 1.0, 2.0])


def test_truncated_mass_moments_and_draws_agree_with_scipy() -> None:
    low, high = ENDS.T
    alpha, beta = (low - MU) / SIGMA, (high - MU) / SIGMA
    law = truncnorm(alpha, beta, loc=MU, scale=SIGMA)
    mean, variance = truncated.moments(MU, SIGMA, low, high)
    assert np.allclose(mean, law.mean(), rtol=1e-7)
    assert np.allclose(variance, law.var(), rtol=1e-5)
    assert np.allclose(truncated.log_mass(alpha, beta), np.log(norm.cdf(beta) - norm.cdf(alpha)), rtol=1e-8)
    u = np.linspace(0.01, 0.99, 5)
    assert np.allclose(truncated.draw(MU, SIGMA, low, high, u), law.ppf(u), rtol=1e-6)
    assert truncated.log_mass(np.array([30.0]), np.array([31.0])) == pytest.approx(norm.logsf(30), rel=1e-9)
    assert truncated.log_mass(np.array([1.0]), np.array([1.0])) == -np.inf


def test_truncated_fit_returns_the_law_with_the_wanted_moments() -> None:
    low, high = ENDS.T
    mean, variance = truncated.moments(MU, SIGMA, low, high)
    mu, sigma = truncated.fit(mean, variance, low, high)
    again = truncated.moments(mu, sigma, low, high)
    assert np.allclose(again[0], mean, atol=0.02 * np.sqrt(variance))
    assert np.allclose(again[1], variance, rtol=0.03)
    flat = truncated.fit(np.array([0.5]), np.array([0.2]), np.array([0.0]), np.array([1.0]))
    assert flat[1] == 3.0  # more spread than the uniform law: as flat as allowed


# ---- windows of ranks ------------------------------------------------------------------------------------------------


def test_windows_of_a_rounded_column_tile_its_ranks_and_cuts_lie_between_them() -> None:
    values = np.array([0.0, 0, 0, 1, 2, 2, 5, 5, 5, 7])
    schema = Schema(
        (Column("x", "numeric", low=0, high=9, decimals=0), Column("y", "categorical", "target", levels=("a",))), "a"
    )
    encoder = Encoder.fit(schema.cast(pd.DataFrame({"x": values, "y": "a"})), schema)
    windows = ranks.windows(encoder, np.arange(-1.0, 10.0)[:, None])[:, 0]
    assert np.allclose(windows[2:, 0], windows[1:-1, 1])
    assert (windows[1, 0], windows[8, 1]) == (0, 1)
    assert np.ptp(windows[[0, 9, 10]], axis=1).tolist() == [0, 0, 0]  # outside the training range
    cuts = ranks.cuts(values, 0)
    assert cuts.tolist() == [0.5, 1.5, 3.5, 6.5]
    assert ranks.codes(np.array([0.0, 3, 4, 7]), cuts).tolist() == [0, 2, 3, 4]
    assert ranks.cuts(np.array([0.1, 0.4]), None).tolist() == [0.25]


def test_levels_are_ordered_by_the_target() -> None:
    frame, schema = _ward()
    frame["drug"] = pd.Categorical(frame["drug"].map({"x": "z", "y": "x", "z": "y"}), categories=["x", "y", "z"])
    grid = Grid.fit(frame, schema)
    rate = frame["died"].eq("yes").groupby(frame["drug"], observed=True).mean().to_numpy()
    assert grid.order[0].tolist() == np.argsort(rate).tolist()
    assert grid.frame(np.zeros((3, 1)), np.array([[0, 0], [1, 0], [2, 0]]))["drug"].cat.codes.tolist() == (
        grid.order[0].tolist()
    )


# ---- the generator ---------------------------------------------------------------------------------------------------


def test_density_sums_to_one_over_all_cells(ward) -> None:
    assert np.exp(ward.log_density(_every_cell(ward.schema))).sum() == pytest.approx(1, abs=1e-9)


def test_density_integrates_to_one_over_a_column_without_decimals() -> None:
    frame, _ = toys.numeric(200)
    columns = (
        Column("a", "numeric", low=float(frame["a"].min()), high=float(frame["a"].max())),
        Column("y", "categorical", role="target", levels=("u", "v")),
    )
    schema = Schema(columns, "v")
    part = schema.cast(pd.DataFrame({"a": frame["a"], "y": np.where(frame["y"] > 2, "v", "u")}))
    fitted = ARF(**SMALL).fit(part, schema, rng=RNG)
    a = np.linspace(part["a"].min(), part["a"].max(), 20_001)
    total = 0.0
    for level in ("u", "v"):
        density = np.exp(fitted.log_density(schema.cast(pd.DataFrame({"a": a, "y": level}))))
        total += np.trapezoid(density, a)
    assert total == pytest.approx(1, abs=0.005)


def test_density_by_hand(ward) -> None:
    """Equation 3 row by row, leaf by leaf, with shares counted in the training frame itself."""
    train, schema = _ward()
    law, grid = ward.law, ward.grid
    every = _every_cell(schema)
    cells, seen = grid.cells(every), grid.cells(train)
    sides = [law.boxes.sides(i, grid.top[i]) for i in range(3)]
    marginal = [np.bincount(seen.codes[:, i]) for i in range(3)]
    edges = grid.edges[0]
    by_hand = np.zeros(len(every))
    for leaf in range(law.boxes.leaves):
        inside = np.ones(len(train), dtype=bool)
        for i in range(3):
            inside &= (seen.codes[:, i] >= sides[i][0][leaf]) & (seen.codes[:, i] <= sides[i][1][leaf])
        for row in range(len(every)):
            code = cells.codes[row]
            if not all(sides[i][0][leaf] <= code[i] <= sides[i][1][leaf] for i in range(3)):
                continue
            p = inside.mean()
            for i in (1, 2):
                box = range(sides[i][0][leaf], sides[i][1][leaf] + 1)
                share = marginal[i][code[i]] / sum(marginal[i][k] for k in box)
                p *= ((seen.codes[inside, i] == code[i]).sum() + 0.2 * share) / (inside.sum() + 0.2)
            mu, sigma = law.normal[:, leaf, 0]
            low, high = edges[sides[0][0][leaf]], edges[sides[0][1][leaf] + 1]
            a, b = cells.windows[row, 0]
            whole = norm.cdf(high, mu, sigma) - norm.cdf(low, mu, sigma)
            by_hand[row] += p * (norm.cdf(b, mu, sigma) - norm.cdf(a, mu, sigma)) / whole / 24
    assert np.allclose(np.exp(ward.log_density(every)), by_hand, rtol=1e-6)


def _frequencies(drawn: pd.DataFrame, every: pd.DataFrame) -> np.ndarray:
    counts = drawn.astype(str).value_counts()
    return np.array([counts.get(tuple(row), 0) for row in every.astype(str).to_numpy()])


@pytest.mark.parametrize("given", [{}, {"died": "yes"}, {"visits": 2.0}, {"visits": 0.0, "drug": "z"}], ids=str)
def test_draws_follow_the_density_given_any_cells(ward, given) -> None:
    """Bayes by enumeration: p(free | given) = p(free, given) / p(given)."""
    every = _every_cell(ward.schema)
    law = np.exp(ward.log_density(every))
    for name, value in given.items():
        law = law * (every[name] == value)
    n = 6_000
    conditions = pd.DataFrame({k: [v] * n for k, v in given.items()}, index=range(n))
    for name in conditions.columns.intersection(["drug", "died"]):
        conditions[name] = pd.Categorical(conditions[name], categories=list(ward.schema[name].levels))
    drawn = ward.sample(n, rng=RNG, conditions=conditions if given else None)
    seen = _frequencies(drawn, every)
    assert seen[law == 0].sum() == 0
    assert chisquare(seen[law > 0], n * law[law > 0] / law.sum()).pvalue > 1e-3


def test_imputed_cells_follow_the_density_and_observed_cells_stay(ward) -> None:
    every = _every_cell(ward.schema)
    rows = every.iloc[[5] * 4000].reset_index(drop=True)
    rows["drug"] = rows["drug"].cat.remove_categories([]).where(np.zeros(len(rows), dtype=bool))
    drawn = ward.impute(rows, rng=RNG)[0]
    law = np.exp(ward.log_density(every)) * (every["visits"] == 0) * (every["died"] == "yes")
    seen = _frequencies(drawn, every)
    assert seen[law == 0].sum() == 0
    assert chisquare(seen[law > 0], len(rows) * law[law > 0] / law.sum()).pvalue > 1e-3


def test_impute_keeps_observed_cells_bit_for_bit_and_gives_as_many_draws_as_asked(mixed) -> None:
    frame, schema = toys.mixed(120, seed=9)
    frame = schema.cast(frame.assign(age=frame["age"].clip(schema["age"].low, schema["age"].high)))
    holes = RNG.branch("holes").numpy().random(frame.shape) < 0.4
    holes[3] = True  # a row without any cell
    rows = frame.mask(holes).set_index(np.arange(1000, 1120))
    rows = rows.astype({c.name: pd.CategoricalDtype(list(c.levels)) for c in schema.categorical})
    before = rows.copy(deep=True)
    draws = mixed.impute(rows, rng=RNG, draws=2)
    assert len(draws) == 2 and not draws[0].equals(draws[1])
    for drawn in draws:
        assert_frame_equal(drawn.where(~holes), before.where(~holes))
        assert not drawn.isna().any().any()
    assert_frame_equal(rows, before)


def test_a_number_beyond_the_training_range_counts_as_the_nearest_end(mixed) -> None:
    schema = mixed.schema
    ends = mixed.grid.encoder.quantiles[[0, -1], 0]
    wider = Schema(
        tuple(Column("age", "numeric", low=0, high=200, decimals=0) if c.name == "age" else c for c in schema.columns),
        schema.positive,
    )
    mixed.schema = wider
    try:
        asked = [mixed.sample(50, rng=RNG, conditions=pd.DataFrame({"age": [age] * 50})) for age in (ends[1], 150.0)]
    finally:
        mixed.schema = schema
    assert_frame_equal(asked[0].drop(columns="age"), asked[1].drop(columns="age"))


def test_a_known_law_is_learned() -> None:
    """Marginals hold, and the dependence that independent columns lack is there."""
    frame, schema = toys.mixed(3000)
    drawn = ARF().fit(frame, schema, rng=RNG).sample(3000, rng=RNG)
    fresh = toys.mixed(3000, seed=2)[0]
    assert kstest(drawn["marker"], fresh["marker"]).statistic < 0.05
    assert kstest(drawn["age"], fresh["age"]).statistic < 0.05
    real, fake = (np.corrcoef(f["age"], np.log(f["marker"]))[0, 1] for f in (fresh, drawn))
    assert fake == pytest.approx(real, abs=0.08)
    tables = [f.groupby(["stage", "died"], observed=False).size().to_numpy() / 3000 for f in (fresh, drawn)]
    assert np.abs(tables[0] - tables[1]).sum() / 2 < 0.05


def test_a_column_full_of_one_value_keeps_its_share(mixed) -> None:
    frame, schema = toys.mixed(600)
    frame["marker"] = frame["marker"].where(np.arange(600) % 5 > 1, 0.5)
    drawn = ARF(trees=10).fit(frame, schema, rng=RNG).sample(4000, rng=RNG)
    assert (drawn["marker"] == 0.5).mean() == pytest.approx(0.4, abs=0.05)
    at_ends = drawn["marker"].isin([frame["marker"].max()]).mean()
    assert at_ends < 0.01


def test_history_holds_the_accuracy_of_each_round_and_the_loop_stops() -> None:
    frame, schema = toys.mixed(300)
    free = ARF(trees=10).fit(frame, schema, rng=RNG).history
    assert [h["step"] for h in free] == list(range(1, len(free) + 1))
    losses = [h["loss"] for h in free]
    assert all(later < earlier for earlier, later in itertools.pairwise(losses[:-1]))
    assert losses[-1] <= 0.5 or losses[-1] >= losses[-2] or len(losses) == 10
    assert len(ARF(trees=10, delta=0.45).fit(frame, schema, rng=RNG).history) == 1


@pytest.mark.parametrize(
    "change", [{"trees": 25}, {"min_leaf": 20}, {"max_rounds": 1}, {"delta": 0.49}, {"alpha": 50.0}], ids=str
)
def test_every_hyperparameter_changes_history_or_rows(change) -> None:
    frame, schema = _ward(150)

    def shown(**settings) -> list[object]:
        fitted = ARF(**{**SMALL, **settings}).fit(frame, schema, rng=RNG)
        return [[h["loss"] for h in fitted.history], fitted.sample(60, rng=RNG).astype(str).to_numpy().tolist()]

    assert shown() != shown(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trees": 1}, "arf: trees=1 must be at least 2"),
        ({"min_leaf": 0}, "arf: min_leaf=0 must be at least 1"),
        ({"max_rounds": 0}, "arf: max_rounds=0 must be at least 1"),
        ({"delta": 0.5}, "arf: delta=0.5 must be in"),
        ({"alpha": 0.0}, "arf: alpha=0.0 must be positive"),
    ],
)
def test_settings_out_of_range_are_refused(change, message) -> None:
    with pytest.raises(ValueError, match=message):
        ARF(**change)


def test_a_level_that_no_training_row_had_cannot_be_given() -> None:
    frame, schema = _ward(100)
    frame["drug"] = frame["drug"].cat.add_categories(["w"])
    columns = [schema["visits"], Column("drug", "categorical", levels=("x", "y", "z", "w")), schema["died"]]
    fitted = ARF(**SMALL).fit(frame, Schema(tuple(columns), "yes"), rng=RNG)
    asked = pd.DataFrame({"drug": pd.Categorical(["w"], categories=["x", "y", "z", "w"])})
    with pytest.raises(ValueError, match="arf: condition on level 'w' of 'drug', which no training row had"):
        fitted.sample(1, rng=RNG, conditions=asked)
    assert "w" not in set(fitted.sample(300, rng=RNG)["drug"])


def test_many_binary_columns() -> None:
    draw = RNG.numpy()
    base = draw.random(300) < 0.4
    bits = {f"code_{j}": np.where(draw.random(300) < 0.1, ~base, base) for j in range(150)}
    columns = [Column(name, "categorical", levels=("0", "1")) for name in bits]
    schema = Schema((*columns, Column("died", "categorical", role="target", levels=("0", "1"))), "1")
    frame = schema.cast(pd.DataFrame({**bits, "died": base}).astype(int).astype(str))
    drawn = ARF(trees=10).fit(frame, schema, rng=RNG).sample(300, rng=RNG)
    agree = (drawn["code_3"].astype(str) == drawn["code_77"].astype(str)).mean()
    assert agree > 0.6
