"""Tasks in worker processes: the same answers, one thread each, and plain words where an engine or a worker fails."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

import perils
from synthcohort import checks, parallel, stages, study
from synthcohort.generators.base import peak_memory_bytes
from synthcohort.study import ParallelBlock

ROOT = Path(__file__).parent.parent
LOKY = ParallelBlock(backend="loky", jobs=2)
DASK = ParallelBlock(backend="dask", jobs=2)
GOOD = "study: {seed: 1}\ndatasets: {wdbc: }\ngenerators: {bootstrap: }\n"


def each(task, items, engine):
    calls = []
    found = parallel.each(task, items, engine=engine, done=lambda: calls.append(1))
    assert len(calls) == len(items) == len(found)
    return found


def test_without_an_engine_tasks_run_here_in_order():
    assert list(each(perils.square, [3, 1, 2], None).items()) == [(3, 9), (1, 1), (2, 4)]
    assert each(perils.surroundings, [0], None)[0][0] == os.getpid()
    assert each(perils.refuse, [], LOKY) == {}


@pytest.mark.parametrize("engine", [LOKY, DASK], ids=["loky", "dask"])
def test_a_worker_is_a_process_with_one_thread_and_no_workers_of_its_own(engine, monkeypatch):
    if engine is DASK:
        pytest.importorskip("distributed")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = dict(os.environ)
    found = each(perils.surroundings, range(4), engine)
    assert os.environ == before
    for process, variables, threads, inner in found.values():
        assert process != os.getpid() and inner == {process} and threads <= {1}
        assert variables == {"OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": None, "TQDM_DISABLE": "1"}


def test_an_error_of_a_task_arrives_as_it_is():
    with pytest.raises(ValueError, match="7 is refused"):
        each(perils.refuse, [7], LOKY)


def test_a_worker_that_dies_over_its_task_is_named_with_the_remedy():
    with pytest.raises(parallel.WorkerError, match=r"a worker process died.* run again, with fewer jobs"):
        each(perils.kill_worker, [0], LOKY)
    assert each(perils.square, [2], LOKY) == {2: 4}


def test_a_worker_does_not_inherit_the_peak_memory_of_the_process_that_started_it(tmp_path):
    large = np.ones(50_000_000)  # 400 MB
    assert large.nbytes <= peak_memory_bytes()
    assert max(each(perils.peak, [0, 1], LOKY).values()) < peak_memory_bytes() - large.nbytes / 2
    listing = tmp_path / "status"
    listing.write_text("Name:\tpython\nVmHWM:\t      12 kB\n")
    assert peak_memory_bytes(listing) == 12 * 1024
    assert peak_memory_bytes(tmp_path / "absent") > 1e7


def test_a_running_cluster_is_used_by_address_and_by_file(tmp_path):
    distributed = pytest.importorskip("distributed")
    inside = {"processes": False, "dashboard_address": None, "protocol": "tcp", "host": "127.0.0.1"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, **inside) as cluster:
        with distributed.Client(cluster) as client:
            client.write_scheduler_file(str(tmp_path / "scheduler.json"))
        for address in (cluster.scheduler_address, str(tmp_path / "scheduler.json")):
            assert each(perils.square, [2, 3], ParallelBlock(backend="dask", address=address)) == {2: 4, 3: 9}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, **inside) as cluster,
        pytest.raises(study.ParamsError, match=r"does 2 tasks at once.* start workers with --nthreads 1"),
    ):
        each(perils.square, [2], ParallelBlock(backend="dask", address=cluster.scheduler_address))


@pytest.mark.parametrize(
    ("address", "message"), [("nowhere.json", "nowhere.json is no file"), ("tcp://127.0.0.1:9", "no Dask scheduler")]
)
def test_a_cluster_that_is_not_there_is_named(address, message, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "CONNECT_SECONDS", 1)
    with pytest.raises(study.ParamsError, match=message):
        each(perils.square, [2], ParallelBlock(backend="dask", address=address))


def test_dask_that_is_not_installed_is_named_before_anything_runs(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(GOOD + "parallel: {backend: dask, jobs: 2}\n")
    opened = study.Study(study.read_params(tmp_path / "params.yaml"), study.Paths(tmp_path))
    checks.check(opened)
    monkeypatch.setattr(parallel, "find_spec", lambda name: None)
    with pytest.raises(study.ParamsError, match=r"not installed here; `pip install 'dask\[distributed\]'`"):
        checks.check(opened)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{backend: loky, job: 2}", "parallel.job: unknown key 'job'; did you mean 'jobs'. Known keys here: address"),
        ("{backend: spark, jobs: 2}", "parallel.backend: Input should be 'loky' or 'dask'"),
        ("{backend: loky, jobs: 1}", "parallel.jobs: .*greater than or equal to 2"),
        ("{backend: loky}", "give jobs, how many workers to start"),
        ("{backend: dask, jobs: 2, address: tcp://a:1}", "give jobs, .* or for dask the address"),
        ("{backend: loky, address: tcp://a:1}", "address is for backend dask"),
    ],
)
def test_what_the_block_says_wrongly_is_named(tmp_path, block, message):
    (tmp_path / "params.yaml").write_text(GOOD + f"parallel: {block}\n")
    with pytest.raises(study.ParamsError, match=message):
        study.read_params(tmp_path / "params.yaml")


def test_no_stage_that_gives_a_result_depends_on_the_engine(tmp_path):
    """Some pages depend on the whole file; they are written again in seconds, the same bytes."""
    (tmp_path / "params.yaml").write_text(GOOD + "parallel:\n")
    assert study.read_params(tmp_path / "params.yaml").parallel is None
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    named = {name: stage.get("params", []) for name, stage in pipeline.items()}
    whole = {name for name, params in named.items() if any(isinstance(one, dict) for one in params)}
    questions = ("few_steps", "impute", "ablations", "width", "scale", "fairness", "frontier", "audit")
    results = {name for name, stage in stages.STAGES.items() if stage.tables or stage.folders}
    assert whole == {"settings", *(f"{name}_page" for name in questions)} and not whole & results
    assert not [name for name, params in named.items() if any(str(one).startswith("parallel") for one in params)]
