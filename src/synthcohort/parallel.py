"""Where do independent tasks run: one after the other in this process, or side by side in worker processes?

joblib's back ends do the work. "loky" starts processes on this machine; "dask" starts a cluster of such processes, or
uses a running one, on as many machines as it has. A worker has one thread and one task at a time, so that its CPU
seconds are those of the task and its sums come out as they do in one process. Results never depend on the engine.

Dask's nanny asks the allocator to hand memory back at once, which makes small networks three times slower: the cluster
started here does without, and workers started by hand need `MALLOC_TRIM_THRESHOLD_` out of the setting
`distributed.nanny.pre-spawn-environ` too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits

from synthcohort.study import ParallelBlock, ParamsError

SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
SILENT = {"TQDM_DISABLE": "1"}  # the bars of several workers would overwrite each other
CONNECT_SECONDS = 20

Item = TypeVar("Item")
Result = TypeVar("Result")


class WorkerError(RuntimeError):
    """A worker process died over its task."""


def check(engine: ParallelBlock | None) -> None:
    """Refuse an engine that is not installed.

    Raises:
        ParamsError: naming what to install.
    """
    if engine is not None and engine.backend == "dask" and find_spec("distributed") is None:
        raise ParamsError(
            "parallel.backend is dask, which is not installed here; `pip install 'dask[distributed]'`, or choose loky"
        )


def each(
    task: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    engine: ParallelBlock | None,
    done: Callable[[], object],
) -> dict[Item, Result]:
    """Return item -> `task(item)`.

    Args:
        task: a picklable function.
        items: what it is called with.
        engine: where it runs; None: here, in order.
        done: called after each item, here.

    Raises:
        ParamsError: if the engine is not there.
        WorkerError: if a worker died.
    """
    if engine is None or not items:
        return _gathered(((item, task(item)) for item in items), done)
    check(engine)
    with _BACKENDS[engine.backend](engine):
        calls = (delayed(_alone)(task, item) for item in items)
        return _gathered(Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")(calls), done)


def _gathered(results: Iterable[tuple[Item, Result]], done: Callable[[], object]) -> dict[Item, Result]:
    found = {}
    for item, result in results:
        found[item] = result
        done()
    return found


def _alone(task: Callable[[Item], Result], item: Item) -> tuple[Item, Result]:
    """Call the task in a worker as one process would: no further threads, no tasks of its own to other workers."""
    os.environ.update(SINGLE)  # for a library that is yet to be loaded
    with threadpool_limits(1), parallel_config("sequential"):
        return item, task(item)


@contextmanager
def _loky(engine: ParallelBlock) -> Iterator[None]:
    """Run the tasks of the block in new processes on this machine, which end with it."""
    try:
        with _environment(SINGLE | SILENT), parallel_config("loky", n_jobs=engine.jobs, inner_max_num_threads=1):
            yield
    except BrokenProcessPool as error:
        raise WorkerError(_DIED) from error
    finally:
        get_reusable_executor().shutdown(kill_workers=True)


@contextmanager
def _dask(engine: ParallelBlock) -> Iterator[None]:
    """Run the tasks of the block on a Dask cluster; the task of a worker that dies goes to another one, three times."""
    from distributed import KilledWorker

    with _environment(SINGLE | SILENT), _client(engine) as client, parallel_config("dask", client=client):
        try:
            yield
        except KilledWorker as error:
            raise WorkerError(_DIED) from error


@contextmanager
def _client(engine: ParallelBlock) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    if engine.address is not None:
        with _connected(engine.address) as client:
            _check_threads(client.nthreads())
            yield client
        return
    started = {"distributed.nanny.pre-spawn-environ": {**SINGLE, **SILENT}}  # the default has MALLOC_TRIM_THRESHOLD_
    with (
        dask.config.set(started),
        LocalCluster(
            n_workers=engine.jobs, threads_per_worker=1, memory_limit=None, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _connected(address: str) -> Any:
    """Return the client of a running cluster, by its scheduler's address or by the file the scheduler wrote."""
    from distributed import Client

    if "://" in address:
        where = {"address": address}
    else:
        where = {"scheduler_file": str(Path(address).expanduser())}
        if not Path(where["scheduler_file"]).is_file():
            raise ParamsError(
                f"parallel.address: {address} is no file; give tcp://host:port, or what `dask scheduler "
                f"--scheduler-file` wrote"
            )
    try:
        return Client(**where, timeout=CONNECT_SECONDS)
    except OSError as error:
        raise ParamsError(f"parallel.address: no Dask scheduler answers at {address} ({error}); start it") from None


def _check_threads(threads: Mapping[str, int]) -> None:
    wide = [worker for worker, number in threads.items() if number > 1]
    if wide:
        raise ParamsError(
            f"parallel.address: the worker {wide[0]} does {threads[wide[0]]} tasks at once, whose CPU seconds and "
            f"memory could not be told apart; start workers with --nthreads 1"
        )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for processes that are started in the block; after it all are what they were."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:  # Dask's nanny sets some more
        os.environ.clear()
        os.environ.update(before)


_BACKENDS: dict[str, Callable[[ParallelBlock], AbstractContextManager[None]]] = {"loky": _loky, "dask": _dask}
_DIED = (
    "a worker process died, most often because memory ran out; what is finished is kept: run again, with fewer jobs "
    "in the block `parallel` of params.yaml if it was the memory"
)
