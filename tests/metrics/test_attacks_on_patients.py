"""The membership attacks on a real table: 569 masses of the breast, 30 measures of their cell nuclei [Wolberg 1995]."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from toy_tables import errors_from, resampled

from synthcohort.metrics.attacks_scene import Scene
from synthcohort.metrics.membership import ATTACKS, auroc, deal, membership_scores
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

CONFIDENCE = 0.999  # of the intervals: fifteen of them stand here
SIZES = (190, 60, 190, 129)  # train, validation, test and fresh rows: two thirds of the test rows are controls


@pytest.fixture(scope="module")
def table():
    """Return the table and its schema."""
    found = load_breast_cancer(as_frame=True)
    measures = [Column(name, "numeric") for name in found.data]
    schema = Schema((*measures, Column("mass", "categorical", "target", ("malignant", "benign"))), "malignant")
    return schema.cast(found.data.assign(mass=found.target_names[found.target])), schema


def split(frame, seed):
    """Return train, validation, test and fresh rows of one random split."""
    places = np.split(np.random.default_rng(seed).permutation(len(frame)), np.cumsum(SIZES)[:-1])
    return [frame.iloc[place].reset_index(drop=True) for place in places]


@pytest.fixture(scope="module", params=[0, 1])
def areas(request, table):
    """Return the areas of one split, kind of synthetic table by attack: copies, a resample and fresh rows."""
    (frame, schema), seed = table, request.param
    train, validation, test, fresh = split(frame, seed)
    game = deal(train, validation, test, max_rows=1000, rng=Rng(seed))
    made = {"copy": train, "resample": resampled(train, seed), "fresh": fresh}
    found = {
        name: membership_scores(game, rows, schema, rng=Rng(seed), confidence=CONFIDENCE) for name, rows in made.items()
    }
    return {name: {s.metric.removeprefix("mia_auroc_"): s for s in scores} for name, scores in found.items()}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_exact_copy_of_the_training_rows_is_found_out(areas, attack):
    assert areas["copy"][attack].value >= 0.95


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_resample_betrays_the_rows_it_holds(areas, attack):
    # 63 % of the members are there: 0.63 + 0.37 / 2 = 0.82 for an attack that finds copies and nothing else
    found = areas["resample"][attack]
    assert found.low <= 0.82 <= found.high


@pytest.mark.parametrize("attack", ATTACKS)
def test_fresh_rows_give_chance_within_the_interval(areas, attack):
    found = areas["fresh"][attack]
    assert found.low <= 0.5 <= found.high


def test_no_attack_by_distance_sees_anything_in_fresh_rows_on_average(table):
    # Members and controls of random splits are exchangeable, so the mean over splits is 0.5 whatever the table holds.
    frame, schema = table
    found = []
    for seed in range(25):
        train, validation, test, fresh = split(frame, seed)
        game = deal(train, validation, test, max_rows=1000, rng=Rng(seed))
        targets, n = pd.concat([game.members, game.controls]), len(game.members)
        scene = Scene(targets, fresh, game.reference, schema)
        for name in ("distance", "domias", "monte_carlo"):
            score = ATTACKS[name](scene, Rng(seed))
            found.append((name, auroc(score[:n], score[n:], 0.95)[0]))
    for name, areas in pd.DataFrame(found, columns=["attack", "area"]).groupby("attack")["area"]:
        assert errors_from(0.5, areas) < 4, name
