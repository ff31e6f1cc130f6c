"""Hidden cells: how many, where, why, and what may never happen."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import toys
from synthcohort import missingness
from synthcohort.missingness import MECHANISMS, MissingnessError, hide, intercept, mar, mcar, mnar
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RATES = (0.1, 0.3, 0.5, 0.7)


def narrow(n: int, seed: int = 0) -> tuple[pd.DataFrame, Schema]:
    """Four columns, so that a row often loses all of them."""
    draw = np.random.default_rng(seed)
    schema = Schema(
        (
            Column("a", "numeric"),
            Column("b", "numeric"),
            Column("k", "categorical", levels=("x", "y", "z")),
            Column("t", "numeric", "target"),
        )
    )
    a = draw.standard_normal(n)
    cells = {"a": a, "b": a + draw.standard_normal(n), "k": draw.choice(list("xyz"), n), "t": draw.exponential(size=n)}
    return schema.cast(pd.DataFrame(cells)), schema


def share_and_error(mechanism, frame, schema, *, masks=30, **settings):
    """Return the mean share of hidden cells among the columns that lose any, and its standard error."""
    shares = []
    for i in range(masks):
        mask = mechanism(frame, schema, rng=Rng(i), **settings)
        shares.append(mask[:, mask.any(axis=0)].mean())
    return np.mean(shares), np.std(shares, ddof=1) / np.sqrt(masks)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", MECHANISMS)
def test_expected_share_is_the_rate(name, rate):
    frame, schema = narrow(400)
    share, error = share_and_error(MECHANISMS[name], frame, schema, rate=rate)
    assert abs(share - rate) < 4 * error


@pytest.mark.parametrize("name", ["mcar", "mnar"])
def test_the_share_is_missed_if_what_is_given_back_is_not_made_up_for(name, monkeypatch):
    monkeypatch.setattr(missingness, "_asked", lambda chances, cells, rate: rate)
    frame, schema = narrow(400)
    share, error = share_and_error(MECHANISMS[name], frame, schema, rate=0.7)
    assert share < 0.7 - 4 * error  # 0.7^4 of the rows lose all and get a quarter of their cells back: 0.06 less


def test_share_of_a_row_by_hand():
    # Two cells a row, q each: 2 q - q^2 hidden of 2, one given back with q^2: q = 1 - sqrt(1 - 2 rate).
    schema = Schema((Column("a", "numeric"), Column("t", "numeric", "target")))
    frame = pd.DataFrame({"a": np.zeros(50_000), "t": np.zeros(50_000)})
    mask = mcar(frame, schema, rate=0.45, rng=Rng(1))
    # Both cells survive with (1 - q)^2 = 1 - 2 * 0.45.
    assert (~mask).all(axis=1).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 50_000))
    assert mask.mean() == pytest.approx(0.45, abs=4 * np.sqrt(0.09 / 50_000) / 2)


@pytest.mark.parametrize("rate", RATES)
def test_intercept_gives_the_mean_chance(rate):
    scores = np.random.default_rng(0).standard_normal(500) * 3
    assert expit(scores + intercept(scores, rate)).mean() == pytest.approx(rate, abs=1e-10)
    assert intercept(np.zeros(5), rate) == pytest.approx(np.log(rate / (1 - rate)))


@pytest.mark.parametrize("name", MECHANISMS)
def test_no_row_loses_all_its_cells(name):
    frame, schema = narrow(2000)
    mask = MECHANISMS[name](frame, schema, rate=0.7, rng=Rng(3))
    assert not mask.all(axis=1).any() and mask.shape == (2000, 4) and mask.dtype == bool


def test_given_back_cells_are_drawn_evenly():
    frame, schema = narrow(20_000)
    kept = ~mcar(frame, schema, rate=0.74, rng=Rng(3))
    alone = kept[kept.sum(axis=1) == 1].mean(axis=0)  # rows with one cell, most of them given back
    assert alone == pytest.approx([0.25] * 4, abs=0.02)


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_spared_target_is_never_hidden(name):
    frame, schema = narrow(500)
    mask = MECHANISMS[name](frame, schema, rate=0.7, rng=Rng(1), spare_target=True)
    assert not mask[:, 3].any() and mask[:, :3].any()
    assert any(MECHANISMS[name](frame, schema, rate=0.7, rng=Rng(i))[:, 3].any() for i in range(5))


def test_mcar_is_blind_to_values_and_mar_to_the_columns_it_hides():
    frame, schema = narrow(300)
    other, _ = narrow(300, seed=1)
    assert (mcar(frame, schema, rate=0.4, rng=Rng(1)) == mcar(other, schema, rate=0.4, rng=Rng(1))).all()
    mask = mar(frame, schema, rate=0.4, rng=Rng(1))
    hidden = [name for j, name in enumerate(schema.names) if mask[:, j].any()]
    assert 0 < len(hidden) < 4
    changed = frame.assign(**{name: other[name] for name in hidden})
    assert (mar(changed, schema, rate=0.4, rng=Rng(1)) == mask).all()
    assert (mar(other, schema, rate=0.4, rng=Rng(1)) != mask).any()


def test_mar_follows_the_columns_it_sees():
    frame, schema = narrow(3000)
    for i in range(20):
        mask = mar(frame, schema, rate=0.4, rng=Rng(i), strength=2.0, seen_share=0.25)
        seen = [name for j, name in enumerate(schema.names) if not mask[:, j].any()]
        if seen == ["a"]:
            gaps = [abs(frame["a"][mask[:, j]].mean() - frame["a"][~mask[:, j]].mean()) for j in range(1, 4)]
            assert min(gaps) > 1  # two standard deviations of the logit: about 1.3 sd of the deciding column
            return
    raise AssertionError("no mask of twenty is decided by column a alone")


def test_mnar_hides_by_the_cell_itself():
    frame, schema = narrow(3000)
    mask = mnar(frame, schema, rate=0.4, rng=Rng(1), strength=2.0)
    blind = mcar(frame, schema, rate=0.4, rng=Rng(1))
    for j, name in ((0, "a"), (3, "t")):
        gap = [abs(frame[name][m[:, j]].mean() - frame[name][~m[:, j]].mean()) for m in (mask, blind)]
        assert gap[0] > 0.5 and gap[1] < 0.15
    by_level = pd.Series(mask[:, 2]).groupby(frame["k"].to_numpy()).mean()
    assert by_level.max() - by_level.min() > 0.2


@pytest.mark.parametrize("name", MECHANISMS)
def test_cells_that_are_missing_already_stay_out_of_the_mask_and_of_the_rate(name):
    frame, schema = narrow(600)
    holes = hide(frame, mcar(frame, schema, rate=0.3, rng=Rng(9), spare_target=True))
    there = holes.notna().to_numpy()
    shares = []
    for i in range(30):
        mask = MECHANISMS[name](holes, schema, rate=0.5, rng=Rng(i))
        assert not (mask & ~there).any() and (there & ~mask).any(axis=1).all()
        losing = mask.any(axis=0)
        shares.append(mask[:, losing].sum() / there[:, losing].sum())
    assert abs(np.mean(shares) - 0.5) < 4 * np.std(shares, ddof=1) / np.sqrt(30)


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("toy", toys.ALL)
def test_same_rng_same_mask_and_the_frame_is_untouched(name, toy):
    frame, schema = toys.ALL[toy](120)
    before = frame.copy()
    masks = [MECHANISMS[name](frame, schema, rate=0.4, rng=Rng(seed)) for seed in (1, 1, 2)]
    assert (masks[0] == masks[1]).all() and (masks[0] != masks[2]).any()
    pd.testing.assert_frame_equal(frame, before)


def test_hide_leaves_the_other_cells_bit_for_bit():
    frame, schema = toys.mixed(80)
    frame.index = frame.index + 5
    mask = mcar(frame, schema, rate=0.5, rng=Rng(1))
    holes = schema.check(hide(frame, mask), allow_missing=True)
    assert (holes.isna().to_numpy() == mask).all() and holes.index.equals(frame.index)
    for j, name in enumerate(frame):
        assert holes[name][~mask[:, j]].equals(frame[name][~mask[:, j]])


def test_what_cannot_be_asked_is_refused_with_its_reason():
    frame, schema = narrow(40)
    for rate in (0.0, 1.0, -0.1, np.nan):
        with pytest.raises(MissingnessError, match="rate"):
            mcar(frame, schema, rate=rate, rng=Rng(0))
    with pytest.raises(MissingnessError, match=r"at most 0\.750"):
        mcar(frame, schema, rate=0.8, rng=Rng(0))
    assert mcar(frame, schema, rate=0.8, rng=Rng(0), spare_target=True).any()
    with pytest.raises(MissingnessError, match="seen_share"):
        mar(frame, schema, rate=0.2, rng=Rng(0), seen_share=1.0)
    bare = frame.copy()
    bare.loc[7] = np.nan
    for mechanism in MECHANISMS.values():
        with pytest.raises(MissingnessError, match="row 7"):
            mechanism(bare.assign(k=bare["k"]), schema, rate=0.2, rng=Rng(0), spare_target=True)
    holes = frame.mask(np.eye(40, 4, dtype=bool))
    with pytest.raises(MissingnessError, match="without missing cells"):
        mar(schema.cast(holes), schema, rate=0.2, rng=Rng(0))
