"""What more rows and columns cost: the tables, the climb, a fit in a process of its own, and what a cell writes."""

import math
import time
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import lone_fit, progress, rows, scale
from synthcohort.cells.lone_fit import Fit, Limits, NoFit, Order
from synthcohort.cells.scale import NotRun
from synthcohort.cells.scaled_tables import BLOCK, SHARED, Blocks, Parts, Resampled, ScaledTable
from synthcohort.report import gathering
from synthcohort.rng import Rng
from synthcohort.schema import write_frame

PARAMS = """
study: {seed: 1, test_share: 0.2, validation_share: 0.2}
datasets: {toy: {}}
generators: {independent: {}}
scale: {tables: [toy], rows: [30, 60], columns: [3, 12], wide_rows: 40, asked_rows: 60, asked_columns: 12}
"""
DONE = Fit(2.0, 0.5, 10**8)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    opened = studies.load(tmp_path)
    frame, schema = toys.mixed(80)
    with rows.whole_folder(opened.paths.development("toy")) as folder:
        schema.to_json(folder / "schema.json")
        write_frame(frame.iloc[:60], folder / "split_0" / "train.csv")
        write_frame(frame.iloc[60:], folder / "split_0" / "validation.csv")
    return opened


@pytest.fixture
def orders(monkeypatch):
    """Return the orders that were carried out; none of them costs a process."""
    seen = []
    monkeypatch.setattr(scale, "measure", lambda order, limits: seen.append(order) or DONE)
    return seen


def table(size):
    return Blocks(40, 0.25, size)


def climbed(sizes, seconds, *, budget=20.0):
    """Return size -> outcome, where a fit of n columns costs what `seconds` says or ends as it says."""
    told = {n: Fit(t, 0.0, 1) if isinstance(t, float) else t for n, t in seconds.items()}
    tried = []

    def fit(asked):
        tried.append(asked.size)
        return told[asked.size]

    found = {t.size: outcome for t, outcome in scale.climb([table(n) for n in sizes], fit, budget)}
    assert tried == [n for n, outcome in found.items() if not isinstance(outcome, NotRun)]
    return found


# --- the tables ---------------------------------------------------------------------------------------------------


def test_rows_are_drawn_with_replacement_from_their_own_part_and_keep_the_schema(study):
    drawn = Resampled(500, 0.25, study.paths.development("toy")).make(Rng(1))
    train, validation = rows.read_development(study.paths.development("toy"), 0)
    assert len(drawn.train) == 500 and len(drawn.validation) == 125
    for found, known in ((drawn.train, train), (drawn.validation, validation)):
        drawn.schema.check(found)
        both = found.drop_duplicates().merge(known.drop_duplicates(), how="inner")
        assert len(both) == len(found.drop_duplicates()) > 10


def test_equal_randomness_gives_equal_rows_and_another_gives_others(study):
    for made in (Resampled(50, 0.25, study.paths.development("toy")), Blocks(50, 0.25, 12)):
        one, same, other = (made.make(Rng(seed)).train for seed in (1, 1, 2))
        assert one.equals(same) and not one.equals(other)


@pytest.mark.parametrize("columns", [2, 3, 12, 25])
def test_a_simulated_table_has_the_columns_asked_for_and_a_binary_target_at_its_end(columns):
    made = Blocks(60, 0.25, columns).make(Rng(1))
    assert made.schema.check(made.train).shape == (60, columns) and made.validation.shape == (15, columns)
    assert made.schema.target == made.schema.columns[-1] and made.schema.task == "binary"
    assert len(made.schema.categorical) == math.ceil(columns / 2)


def test_columns_of_a_block_depend_on_each_other_as_stated_and_blocks_do_not():
    n = 20_000
    drawn = Blocks(n, 0.25, 2 * BLOCK).make(Rng(1)).train
    correlation = drawn[[c for c in drawn if drawn[c].dtype == float]].corr().to_numpy()  # 5 numeric columns a block
    codes = np.stack([drawn[c].cat.codes for c in drawn if drawn[c].dtype != float])  # [10, n]
    half, apart = BLOCK // 2, 5 / math.sqrt(n)
    within = correlation[:half, :half][np.triu_indices(half, 1)]
    assert np.abs(within - SHARED).max() < apart and np.abs(correlation[:half, half:]).max() < apart
    agree = (codes[0] == codes[1:half]).mean(axis=1)
    assert np.abs(agree - (0.5 + math.asin(SHARED) / math.pi)).max() < apart
    assert abs((codes[0] == codes[half]).mean() - 0.5) < apart


# --- the climb ----------------------------------------------------------------------------------------------------


def test_a_power_law_is_continued():
    assert scale.growth((10, 3.0), (1000, 300.0)) == pytest.approx(1.0)
    assert scale.forecast([(1, 9.0), (10, 1.0), (100, 10.0**1.5)], 1000) == pytest.approx(1000.0)  # by the last two
    assert scale.forecast([(10, 4.0), (100, 2.0)], 1000) == 2.0  # no size is foretold to cost less than a smaller one
    assert math.isnan(scale.forecast([(10, 4.0)], 100))


def test_a_size_that_would_cost_more_than_the_budget_is_not_run_and_its_cost_is_told():
    found = climbed([10, 100, 1000, 2000], {10: 0.3, 100: 3.0})
    assert found[1000] == NotRun("would cost about 30 CPU s") and found[2000] == NotRun("would cost about 60 CPU s")


def test_sizes_within_the_budget_are_all_run():
    found = climbed([10, 100, 1000], {10: 1.0, 100: 2.0, 1000: 4.0})
    assert [outcome.cpu_seconds for outcome in found.values()] == [1.0, 2.0, 4.0]


def test_one_size_over_the_budget_is_the_last():
    found = climbed([10, 100, 1000], {10: 31.0})
    assert found[100] == found[1000] == NotRun("10 columns cost 31 CPU s")
    found = climbed([10, 100, 1000], {10: 5.0, 100: 31.0})
    assert found[1000] == NotRun("would cost about 190 CPU s")  # 31 * 31 / 5


@pytest.mark.parametrize("end", [NoFit("ended after 60 CPU s"), NoFit("", error="MemoryError")], ids=["time", "memory"])
def test_after_a_size_that_was_too_much_no_larger_one_is_run(end):
    found = climbed([10, 100, 1000], {10: 0.1, 100: end})
    assert found[100] == end and found[1000] == NotRun("100 columns were too much")


def test_a_fit_that_failed_for_another_reason_keeps_no_larger_one_from_being_tried():
    broken = NoFit("too few rows", error="FitError")
    assert climbed([10, 100], {10: broken, 100: 2.0}) == {10: broken, 100: Fit(2.0, 0.0, 1)}


# --- a process of its own -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Greedy(ScaledTable):
    """A table that is never made: it takes `held_bytes` bytes and then half a minute, or nothing and no time."""

    along = "rows"
    held_bytes: int

    @property
    def size(self):
        return self.held_bytes

    def make(self, rng: Rng) -> Parts:
        held = np.ones(self.held_bytes // 8)
        time.sleep(30 if len(held) else 0)
        raise ValueError(f"nothing is made of {len(held)} numbers")


def order(made, generator="independent", **hyperparameters):
    return Order(made, generator, hyperparameters, Rng(1), Rng(2), "cpu")


def test_a_fit_has_a_clock_and_a_peak_of_its_own():
    held = np.ones(60_000_000)  # 480 MB of this process, which are not the child's
    found = lone_fit.measure(order(Blocks(50_000, 0.25, 6)), Limits(60.0, 10**10))
    assert isinstance(found, Fit) and held[0] == 1.0
    assert 0 < found.train_cpu_seconds < 5 and 0 < found.sample_cpu_seconds < 5
    assert found.cpu_seconds == found.train_cpu_seconds + found.sample_cpu_seconds
    assert 3e7 < found.peak_memory_bytes < 4.8e8


def test_a_process_that_grows_too_large_is_ended_and_what_it_held_is_told():
    found = lone_fit.measure(order(Greedy(1, 0.25, 2 * 10**9)), Limits(60.0, 4 * 10**8))
    assert isinstance(found, NoFit) and found.too_large and found.memory_bytes > 4e8
    assert found.reason == "ended at more than 0.4 GB of memory" and math.isnan(found.cpu_seconds)


def test_an_error_before_the_clock_starts_is_an_error_here():
    with pytest.raises(ValueError, match="nothing is made of 0 numbers"):
        lone_fit.measure(order(Greedy(1, 0.25, 0)), Limits(60.0, 10**10))


def told(order, cpu_seconds=60.0):
    """Return what a fit tells, carried out in this very process; it need not be silent, and no clock is set."""
    mine, theirs = get_context("spawn").Pipe(duplex=False)
    lone_fit._work(order, cpu_seconds, theirs)
    return mine.recv()


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(lone_fit, "_silence", lambda: None)
    monkeypatch.setattr(lone_fit, "_limit", lambda cpu_seconds: None)


def test_a_fit_that_fails_tells_why(here):
    found = told(order(Blocks(1, 0.25, 4)))
    assert found.error == "FitError" and found.reason == "independent needs at least 2 training rows, got 1"
    assert not found.too_large


def test_a_generator_that_is_not_there_is_an_error(here):
    assert isinstance(told(order(Blocks(20, 0.25, 4), "gan")), LookupError)


def test_the_kernel_ends_what_takes_too_long():
    context = get_context("spawn")
    child = context.Process(target=_spin)
    child.start()
    child.join(300)
    found = lone_fit._ended(child.exitcode, Limits(1.0, 10**9))
    assert found.reason == "ended after 1 CPU s" and found.cpu_seconds == 1.0 and found.too_large


def _spin():
    lone_fit._silence()
    lone_fit._limit(1.0)
    while True:
        pass


def test_other_ends_are_told_apart():
    bounds = Limits(1.0, 10**9)
    assert lone_fit._ended(-9, bounds).too_large and "memory runs out" in lone_fit._ended(-9, bounds).reason
    assert "ended with code 139" in lone_fit._ended(139, bounds).reason and not lone_fit._ended(139, bounds).too_large


# --- the cell -----------------------------------------------------------------------------------------------------


def test_a_cell_tells_the_cost_of_every_size(study, orders):
    found = scale.scale_cell(study, "toy", "independent")
    written = scores.read(study.paths.scale("toy", "independent"))
    assert len(written) == len(found) == 4 * 3 and set(written["axis"]) == {"cost"}
    sizes = {"toy": {"rows=30", "rows=60"}, "simulated": {"columns=3", "columns=12"}}
    assert {d: set(own["condition"]) for d, own in written.groupby("dataset")} == sizes
    assert dict(zip(written["condition"], written["n"])) == {
        "rows=30": 30,
        "rows=60": 60,
        "columns=3": 40,
        "columns=12": 40,
    }
    assert dict(zip(written["metric"], written["value"])) == {
        "cpu_seconds": 2.5,
        "train_cpu_seconds": 2.0,
        "peak_memory_bytes": 1e8,
    }
    assert study.paths.scale_machine("toy", "independent").is_file()
    assert {one.table.held for one in orders} == {1 / 3}  # of 60 % train and 20 % validation rows
    assert len({(one.rows_rng, one.fit_rng) for one in orders}) == 4


def test_a_killed_cell_goes_on_where_it_stopped(study, orders):
    scale.scale_cell(study, "toy", "independent")
    before = study.paths.scale("toy", "independent").read_bytes()
    (study.paths.scale_fits("toy", "independent") / "columns=3.json").unlink()
    orders.clear()
    scale.scale_cell(study, "toy", "independent")
    assert [one.table.condition for one in orders] == ["columns=3"]
    assert study.paths.scale("toy", "independent").read_bytes() == before


def test_fits_of_other_rows_settings_or_code_are_not_used(study, orders, monkeypatch, tmp_path):
    def again(opened):
        orders.clear()
        scale.scale_cell(opened, "toy", "independent")
        return [one.table.condition for one in orders]

    assert len(again(study)) == 4 and again(study) == []
    frame, _ = toys.mixed(60, seed=2)
    write_frame(frame, study.paths.development("toy") / "split_0" / "train.csv")
    assert again(study) == ["rows=30", "rows=60"]  # the simulated table knows nothing of them
    larger = study.params.scale.model_copy(update={"memory_gb": 9.0})
    assert len(again(studies.Study(study.params.model_copy(update={"scale": larger}), study.paths))) == 4
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "changed.py").touch()
    monkeypatch.setattr(progress, "SOURCE", tmp_path / "code")
    assert len(again(study)) == 4


def test_what_came_to_no_end_is_a_reason_with_the_least_it_cost(study, monkeypatch):
    ends = {
        "rows=30": NoFit("ended after 60 CPU s", cpu_seconds=60.0),
        "columns=3": NoFit("cell 7.5", error="FitError"),
    }
    monkeypatch.setattr(scale, "measure", lambda order, limits: ends.get(order.table.condition, DONE))
    found = scale.scale_cell(study, "toy", "independent").set_index(["condition", "metric"])
    assert set(found.loc["rows=30"]["note"]) == {"ended after 60 CPU s"} and found.loc["rows=30"]["value"].isna().all()
    assert found.loc[("rows=30", "cpu_seconds"), "low"] == 60 and math.isnan(
        found.loc[("rows=30", "peak_memory_bytes"), "low"]
    )
    assert set(found.loc["rows=60"]["note"]) == {"not run: 30 rows were too much"}
    assert set(found.loc["columns=3"]["note"]) == {"FitError: cell 7.5"}
    assert found.loc["columns=12"]["value"].notna().all()


def test_an_error_over_rows_of_a_restricted_table_is_covered(study, monkeypatch):
    block = study.params.datasets["toy"].model_copy(update={"restricted": True})
    closed = studies.Study(study.params.model_copy(update={"datasets": {"toy": block}}), study.paths)
    monkeypatch.setattr(scale, "measure", lambda order, limits: NoFit("cell 7.5", error="ValueError"))
    found = scale.scale_cell(closed, "toy", "independent").set_index("condition")["note"]
    assert "7.5" not in " ".join(found.loc[["rows=30", "rows=60"]]) and "7.5" in found.loc["columns=3"].iloc[0]


def test_the_other_pages_read_no_cost_of_these_fits(study, orders):
    cost = scores.Score("cost", "train_cpu_seconds", 1.0, 10, "down")
    scores.write(
        scores.to_frame([cost], dataset="toy", generator="independent", split=0), study.paths.cost("toy", "independent")
    )
    scale.scale_cell(study, "toy", "independent")
    assert len(gathering.all_costs(study)) == 1


def test_what_was_measured_is_not_measured_anew_by_reading_along(study, orders, monkeypatch):
    monkeypatch.delenv(studies.PIPELINE_VARIABLE, raising=False)
    scale.scale_cell(study, "toy", "independent")
    before = study.paths.scale("toy", "independent").read_bytes()
    other = replace(DONE, train_cpu_seconds=9.0)
    monkeypatch.setattr(scale, "measure", lambda order, limits: other)
    (study.paths.scale_fits("toy", "independent") / "rows=30.json").unlink()
    scale.scale_cell(study, "toy", "independent")
    assert study.paths.scale("toy", "independent").read_bytes() == before
    monkeypatch.setenv(studies.PIPELINE_VARIABLE, "scale")
    scale.scale_cell(study, "toy", "independent")
    assert study.paths.scale("toy", "independent").read_bytes() != before
