"""Coarse levels: rows drawn from them have them, in the shares that were bought."""

import numpy as np
from scipy.stats import chisquare

import toys
from synthcohort.generators.parts.private_labelled import edges_of
from synthcohort.generators.parts.private_table import PrivateTable
from synthcohort.rng import Rng

RNG = Rng(37)


def _bought(deviation: float, least_signal: float = 3.0, bins: int = 12):
    """A table of a mixed toy whose histograms have no noise but a stated deviation."""
    frame, schema = toys.mixed(400)
    names: list[str] = []

    def measure(name: str, counts: np.ndarray) -> tuple[np.ndarray, float]:
        names.append(name)
        return counts.astype(float), deviation

    table, measured = PrivateTable.fit(
        frame, schema, edges_of(schema, bins), measure=measure, least_signal=least_signal
    )
    return frame, table, measured, names


def test_every_column_is_bought_once_and_joined_to_levels_that_count() -> None:
    frame, table, measured, names = _bought(10.0)
    assert names == [f"histogram of {c}" for c in frame.columns]
    for i, m in enumerate(measured):
        assert m.clique == (i,) and m.counts.sum() == 400 and len(m.counts) == table.levels[i]
        joined = np.bincount(table.groups[i])
        assert np.allclose(m.sigma, 10.0 * np.sqrt(joined))
        assert np.array_equal(m.counts, np.bincount(table.codes(frame)[i]))
    assert all((m.counts >= 30).all() for m, c in zip(measured, table.schema.columns) if c.numeric)


def test_the_target_keeps_its_levels_and_numbers_keep_one_at_least() -> None:
    _, table, _, _ = _bought(1e6)
    assert table.levels == [1, 1, 1, 1, 2]


def test_rows_drawn_from_coarse_levels_have_them() -> None:
    _, table, _, _ = _bought(10.0)
    codes = np.stack([RNG.branch(i).numpy().integers(0, k, 3000) for i, k in enumerate(table.levels)])
    drawn = table.frame(codes, RNG)
    table.schema.check(drawn)
    assert np.array_equal(table.codes(drawn), codes)
    assert np.array_equal(table.target_codes(drawn["died"]), codes[-1])


def test_fine_levels_come_back_in_the_shares_of_the_histogram() -> None:
    frame, table, _, _ = _bought(10.0)
    drawn = table.frame(np.repeat(table.codes(frame), 20, axis=1), RNG)
    edges = table.edges[0]
    real, fake = (np.histogram(f["age"], edges)[0] for f in (frame, drawn))
    kept = real > 0
    assert fake[~kept].sum() == 0
    assert chisquare(fake[kept], 20.0 * real[kept]).pvalue > 1e-4
