"""Every generator, on every toy table, must keep the same promises."""

import random

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import toys
from synthcohort.generators import load as registry
from synthcohort.generators.base import AbilityError, FitError, Generator
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema, SchemaError

FAST = {
    "vae": {"max_steps": 60},
    "tabddpm": {"max_steps": 60},
    "guided_tabddpm": {"width": 16, "depth": 1, "max_steps": 20, "batch_size": 64, "steps": 5},
    "picked_tabddpm": {
        **{"width": 16, "depth": 1, "max_steps": 20, "batch_size": 64, "steps": 5, "candidates": 2, "rounds": 3},
    },
    "fairtabddpm": {"side": 4, "channels": 8, "width": 16, "max_steps": 12, "batch_size": 32, "steps": 4},
    "tab_fair_gan": {"width": 8, "latent": 4, "max_steps": 6, "least_steps": 6, "batch_size": 32},
    "flow": {"width": 32, "max_steps": 60},
    "forest_diffusion": {"levels": 4, "copies": 4, "trees": 5, "depth": 3},
    "medgan": {"max_steps": 40, "burn_in": 5},
    "corgan": {"max_steps": 20, "critic_steps": 2},
    "ctgan": {"width": 16, "epochs": 1, "least_steps": 12, "batch_size": 50},
    "tvae": {"epochs": 1, "least_steps": 60},
    "tabsyn": {"autoencoder_steps": 30, "max_steps": 40, "passes": 0, "steps": 5},
    "table_gan": {"max_steps": 15, "channels": 4},
    "ctab_gan": {"least_steps": 1, "max_steps": 15, "channels": 4, "max_modes": 3},
    "mtabgen": {"width": 16, "max_steps": 30, "steps": 6},
    "mtabgen_addition": {"width": 16, "max_steps": 30, "steps": 6},
    "mtabgen_concatenation": {"width": 16, "max_steps": 30, "steps": 6},
    "mtabgen_fixed_mask": {"width": 16, "max_steps": 30, "steps": 6},
    "mtabgen_fixed_share": {"width": 16, "max_steps": 30, "steps": 6},
    "mtabgen_mlp": {"width": 32, "max_steps": 30, "steps": 6},
    "mst": {"rounds": 20},
    "aim": {"rounds": 20, "rounds_between": 3, "rounds_per_column": 3},
    "pate_gan": {"turns": 4, "batch_size": 16},
    "dp_vae": {"width": 16, "max_steps": 20, "batch_size": 30},
    "dp_tabddpm": {"width": 16, "max_steps": 20, "batch_size": 30, "steps": 5},
    "dp_mtabgen": {"width": 16, "max_steps": 20, "batch_size": 30, "steps": 5},
    "dp_ctgan": {"width": 16, "max_steps": 20, "batch_size": 30},
    "dp_flow": {"width": 16, "max_steps": 20, "batch_size": 30},
}
NAMES = registry.names()
TABLES = list(toys.ALL)
RNG = Rng(7)


@pytest.fixture(scope="module")
def fitted():
    """Fit each generator once per toy table, with few steps: promises, not quality."""
    cache: dict[tuple[str, str], tuple[Generator, pd.DataFrame]] = {}

    def get(name: str, table: str) -> tuple[Generator, pd.DataFrame]:
        if (name, table) not in cache:
            frame, schema = toys.ALL[table](160)
            generator = registry.build(name, FAST.get(name, {}))
            cache[name, table] = (
                generator.fit(frame[:130], schema, rng=RNG, validation=frame[130:]),
                frame[:130],
            )
        return cache[name, table]

    return get


def _global_states():
    legacy = np.random.get_state()  # noqa: NPY002 - the generator that nobody may touch
    return random.getstate(), legacy[1].tolist(), torch.get_rng_state().tolist()


everywhere = [
    pytest.mark.parametrize("name", NAMES),
    pytest.mark.parametrize("table", TABLES),
]


def on_every_table(test):
    for mark in everywhere:
        test = mark(test)
    return test


@on_every_table
def test_rows_satisfy_the_schema_and_their_number(fitted, name, table):
    generator, train = fitted(name, table)
    for n in (0, 1, len(train)):
        drawn = generator.sample(n, rng=RNG)
        assert len(drawn) == n
        generator.schema.check(drawn)


@on_every_table
def test_same_rng_same_rows_other_rng_other_rows(fitted, name, table):
    generator, _ = fitted(name, table)
    first = generator.sample(50, rng=RNG.branch("a"))
    assert_frame_equal(first, generator.sample(50, rng=RNG.branch("a")))
    assert not first.equals(generator.sample(50, rng=RNG.branch("b")))


@on_every_table
def test_a_refit_with_the_same_rng_gives_the_same_rows(fitted, name, table):
    generator, _ = fitted(name, table)
    frame, schema = toys.ALL[table](160)
    again = registry.build(name, generator.hyperparameters())
    again.fit(frame[:130], schema, rng=RNG, validation=frame[130:])
    assert_frame_equal(again.sample(20, rng=RNG), generator.sample(20, rng=RNG))


@on_every_table
def test_global_generators_and_inputs_are_untouched(name, table):
    frame, schema = toys.ALL[table](80)
    before = frame.copy(deep=True)
    states = _global_states()
    generator = registry.build(name, FAST.get(name, {})).fit(frame, schema, rng=RNG)
    generator.sample(5, rng=RNG)
    assert _global_states() == states
    assert_frame_equal(frame, before)


@on_every_table
def test_save_and_load_give_the_same_rows_without_pickles(fitted, name, table, tmp_path):
    generator, _ = fitted(name, table)
    generator.save(tmp_path)
    kinds = {path.suffix for path in tmp_path.iterdir()}
    assert kinds <= {".json", ".csv", ".safetensors"}
    again = registry.load(name, tmp_path)
    assert_frame_equal(again.sample(30, rng=RNG), generator.sample(30, rng=RNG))
    assert again.hyperparameters() == generator.hyperparameters()


@on_every_table
def test_conditioned_cells_come_back_unchanged(fitted, name, table):
    generator, train = fitted(name, table)
    schema = generator.schema
    conditions = train[[schema.target.name]].iloc[:40].reset_index(drop=True)
    able = "condition-target" in generator.abilities and not schema.target.numeric
    if not able and "condition-any" not in generator.abilities:
        pytest.skip("no such ability on this table")
    drawn = generator.sample(40, rng=RNG, conditions=conditions)
    assert_frame_equal(drawn[[schema.target.name]], conditions)


@on_every_table
def test_observed_cells_come_back_bit_for_bit(fitted, name, table):
    generator, train = fitted(name, table)
    if "impute" not in generator.abilities:
        pytest.skip("no such ability")
    holes = RNG.branch("holes").numpy().random(train.shape) < 0.5
    holed = train.mask(holes)
    before = holed.copy(deep=True)
    one, two = generator.impute(holed, rng=RNG, draws=2)
    assert_frame_equal(holed, before)
    assert_frame_equal(one.mask(holes), before, check_exact=True)
    assert not one.equals(two)
    assert_frame_equal(generator.impute(holed, rng=RNG)[0], one)


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_asked_is_refused_by_name(fitted, name):
    generator, train = fitted(name, "mixed")
    with pytest.raises(TypeError, match=f"{name} has no sampling option 'stepps'"):
        generator.sample(3, rng=RNG, stepps=3)
    if "condition-any" not in generator.abilities:
        with pytest.raises(AbilityError, match=f"{name} cannot condition on column 'age'.*condition-any"):
            generator.sample(3, rng=RNG, conditions=train[["age"]][:3])
    if "impute" not in generator.abilities:
        with pytest.raises(AbilityError, match=f"{name} cannot fill missing cells"):
            generator.impute(train[:3], rng=RNG)
    with pytest.raises(ValueError, match="2 rows of conditions for n=3"):
        generator.sample(3, rng=RNG, conditions=train[["died"]][:2])
    with pytest.raises(SchemaError, match="unknown column 'colour'"):
        generator.sample(1, rng=RNG, conditions=pd.DataFrame({"colour": ["red"]}))
    with pytest.raises(ValueError, match="n=-1"):
        generator.sample(-1, rng=RNG)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_hyperparameter_is_refused_by_name(name):
    with pytest.raises(TypeError, match=f"generators.{name}: unknown hyperparameter 'epocs'"):
        registry.build(name, {"epocs": 3})


def test_an_unknown_generator_lists_those_there_are():
    with pytest.raises(LookupError, match=r"no generator 'tabdpm'. Did you mean 'tabddpm'\? There are: .*bootstrap"):
        registry.build("tabdpm", {})


@pytest.mark.parametrize("name", NAMES)
def test_constant_column_and_unseen_level_are_handled(name):
    frame, schema = toys.mixed(120)
    columns = [*schema.columns, Column("site", "numeric", low=4, high=4, decimals=0)]
    columns[2] = Column("stage", "categorical", levels=("I", "II", "III", "IV"))
    wider = Schema(tuple(columns), schema.positive)
    frame = wider.cast(frame.assign(site=4.0))
    drawn = registry.build(name, FAST.get(name, {})).fit(frame, wider, rng=RNG).sample(60, rng=RNG)
    assert set(drawn["site"]) == {4.0}
    wider.check(drawn)


@pytest.mark.parametrize("name", NAMES)
def test_frames_that_break_the_schema_are_refused(name):
    frame, schema = toys.mixed(60)
    holed = frame.copy()
    holed.loc[3, "marker"] = np.nan
    if "impute" not in registry.find(name).abilities:
        with pytest.raises(SchemaError, match="'marker' has 1 missing"):
            registry.build(name, {}).fit(holed, schema, rng=RNG)
    with pytest.raises(FitError, match="at least 2 training rows"):
        registry.build(name, {}).fit(frame[:1], schema, rng=RNG)


@pytest.mark.parametrize("name", NAMES)
def test_the_cost_of_a_fit_is_recorded(fitted, name):
    cost = fitted(name, "mixed")[0].cost
    assert cost.parameters > 0
    assert cost.train_cpu_seconds >= 0
    assert cost.peak_memory_bytes > 10_000_000
