"""Flow: its density by enumeration and integration, draws against the density."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch

import toys
from synthcohort.generators.base import FitError
from synthcohort.generators.flow import Flow
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
SMALL = {"width": 16, "max_steps": 20, "batch_size": 32, "evaluate_every": 5}


def _fit(**changes) -> Flow:
    frame, schema = toys.mixed(120)
    return Flow(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def _all_rows(schema: Schema) -> pd.DataFrame:
    """Return every row of a table without numeric columns."""
    texts = list(itertools.product(*[c.levels for c in schema.columns]))
    return schema.cast(pd.DataFrame(texts, columns=schema.names))


@pytest.fixture(scope="module")
def of_levels() -> Flow:
    frame, schema = toys.categorical(600)
    return Flow(width=32, max_steps=250, batch_size=128).fit(frame, schema, rng=RNG)


def test_the_probabilities_of_all_rows_add_up_to_one(of_levels) -> None:
    p = np.exp(of_levels.log_density(_all_rows(of_levels.schema)))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert p.max() > 3 / 27


def test_rows_are_drawn_with_their_probability(of_levels) -> None:
    rows = _all_rows(of_levels.schema)
    p = np.exp(of_levels.log_density(rows))
    n = 5000
    drawn = of_levels.sample(n, rng=RNG).astype(str).value_counts()
    counts = np.array([drawn.get(tuple(row), 0) for row in rows.astype(str).to_numpy()])
    chi_square = ((counts - n * p) ** 2 / (n * p)).sum()
    assert chi_square < 26 + 4 * math.sqrt(2 * 26)


def test_levels_and_scores_together_have_mass_one() -> None:
    """One numeric and two categorical columns: integrate over the score, add over all levels."""
    frame, schema = toys.mixed(200)
    kept = ["age", "stage", "died"]
    frame, schema = frame[kept], Schema(tuple(schema[name] for name in kept), schema.positive)
    generator = Flow(width=16, max_steps=150, batch_size=64, learning_rate=3e-3).fit(frame, schema, rng=RNG)
    grid = torch.linspace(-9, 9, 2001)
    frequency = frame["died"].value_counts(normalize=True, sort=False).to_numpy()
    mass = 0.0
    for stage, died in itertools.product(range(3), range(2)):
        codes, y = torch.full((2001, 1), stage), torch.full((2001,), died)
        with torch.no_grad():
            p = generator._log_p(grid[:, None], codes, y).double().exp()
        mass += frequency[died] * float(torch.trapezoid(p, grid.double()))
    assert mass == pytest.approx(1, abs=2e-3)


def test_the_density_is_taken_at_the_middle_rank() -> None:
    frame, _ = toys.mixed(120)
    generator = _fit()
    rows = generator.table.split(frame, "cpu")
    with torch.no_grad():
        want = generator._log_p(torch.special.ndtri(rows.numeric.mean(2)), rows.codes, rows.y).double().numpy()
    counts = generator.table.counts
    want += np.log(counts / counts.sum())[rows.y.numpy()]
    assert np.allclose(generator.log_density(frame), want, atol=1e-5)


def test_a_likely_row_is_likelier_than_an_unlikely_one() -> None:
    """Corr(a, b) = .8 on the normal scale: the density of pairs that agree exceeds that of pairs that do not."""
    frame, schema = toys.numeric(600)
    generator = Flow(width=32, max_steps=300, batch_size=128).fit(frame, schema, rng=RNG)
    turned = frame.assign(b=np.sort(frame["b"])[::-1][frame["b"].rank(method="first").to_numpy(dtype=int) - 1])
    assert generator.log_density(frame).mean() > generator.log_density(turned).mean() + 1


def test_a_label_no_training_row_had_has_no_density() -> None:
    frame, schema = toys.mixed(100)
    wider = Schema((*schema.columns[:-1], Column("died", "categorical", "target", ("no", "yes", "lost"))), "yes")
    frame = wider.cast(frame)
    generator = Flow(**SMALL).fit(frame, wider, rng=RNG)
    lost = wider.cast(frame[:2].astype({"died": str}).assign(died="lost"))
    assert np.isneginf(generator.log_density(lost)).all()


def test_a_numeric_target_has_a_density() -> None:
    frame, schema = toys.numeric(80)
    assert np.isfinite(Flow(**SMALL).fit(frame, schema, rng=RNG).log_density(frame)).all()


def test_a_table_of_the_target_alone_is_refused() -> None:
    frame, schema = toys.mixed(40)
    with pytest.raises(FitError, match="no column besides its target"):
        Flow().fit(frame[["died"]], Schema((schema["died"],), schema.positive), rng=RNG)
