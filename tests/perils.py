"""Tasks that a test gives to worker processes: by name, so that a fresh process can import them."""

import os
import signal
import time
from pathlib import Path

import threadpoolctl
from joblib import Parallel, delayed

from synthcohort.cells import fitting
from synthcohort.generators.base import peak_memory_bytes

FIT = fitting._fit_split  # as it is; a test may put one of these in its place
VARIABLES = ("OMP_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_", "TQDM_DISABLE")


def counted(cell, split, stamp):
    """Fit one split and leave a line that says so."""
    with (cell.study.paths.root / "fits.txt").open("a") as file:
        file.write(f"{split}\n")
    return FIT(cell, split, stamp)


def dying_once(cell, split, stamp):
    """Fit one split; the first fit of split 1 begins when split 0 is done, and takes its worker with it."""
    marker = cell.study.paths.root / "died.txt"
    if split == 1 and not marker.exists():
        until = time.monotonic() + 15
        while not (cell.finished / "split_0.json").exists() and time.monotonic() < until:
            time.sleep(0.05)
        marker.touch()
        with (cell.study.paths.root / "fits.txt").open("a") as file:
            file.write("1\n")
        kill_worker()
    return counted(cell, split, stamp)


def kill_worker(_=0):
    os.kill(os.getpid(), signal.SIGKILL)


def fitted(root: Path) -> list[int]:
    """Return the splits that were fitted, in order of their numbers."""
    path = root / "fits.txt"
    return sorted(int(line) for line in path.read_text().split()) if path.is_file() else []


def surroundings(_):
    """Return what a worker is: its process, its variables, its libraries' threads, where its own tasks would run."""
    inner = Parallel(n_jobs=None)(delayed(os.getpid)() for _ in range(2))
    threads = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
    return os.getpid(), {name: os.environ.get(name) for name in VARIABLES}, threads, set(inner)


def square(number):
    return number * number


def refuse(number):
    raise ValueError(f"{number} is refused")


def peak(_):
    return peak_memory_bytes()
