"""What does one fit with its draw cost, in a process of its own?

A fresh process has a clock and a peak of memory of its own, so that no fit is charged for the one before it. The
kernel ends it when it has used up its CPU seconds (RLIMIT_CPU: user and system time of all its threads), this process
when its resident size passes the limit, which is looked at every `POLL` seconds. Libraries are imported and the table
is made before the clock starts; both count among the bytes.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

import psutil

from synthcohort.cells.scaled_tables import ScaledTable
from synthcohort.generators import load as registry
from synthcohort.generators.base import peak_memory_bytes
from synthcohort.rng import Rng

POLL = 0.05  # seconds
GB = 10**9


@dataclass(frozen=True)
class Order:
    """What is to be fitted.

    Args:
        table: makes the rows; as many are drawn as are learned from.
        generator, hyperparameters: how they are learned.
        rows_rng, fit_rng: the randomness of the rows, and that of fit and draw.
        device: torch device.
    """

    table: ScaledTable
    generator: str
    hyperparameters: Mapping[str, Any]
    rows_rng: Rng
    fit_rng: Rng
    device: str


@dataclass(frozen=True)
class Limits:
    """What ends a fit.

    Args:
        cpu_seconds: of fit and draw together; counted in whole seconds.
        memory_bytes: resident size of its process.
    """

    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Fit:
    """What a fit and a draw cost.

    Args:
        train_cpu_seconds, sample_cpu_seconds: of either.
        peak_memory_bytes: largest resident size of the process, libraries and table included.
    """

    train_cpu_seconds: float
    sample_cpu_seconds: float
    peak_memory_bytes: int

    @property
    def cpu_seconds(self) -> float:
        """Of both."""
        return self.train_cpu_seconds + self.sample_cpu_seconds


@dataclass(frozen=True)
class NoFit:
    """A fit, or its draw, that did not come to its end.

    Args:
        reason: why; for an error its message.
        error: its kind, "" for a fit that was ended.
        cpu_seconds, memory_bytes: what it cost at least, NaN if that is not known.
    """

    reason: str
    error: str = ""
    cpu_seconds: float = math.nan
    memory_bytes: float = math.nan

    @property
    def too_large(self) -> bool:
        """Whether it was the size that ended it, so that no larger table need be tried."""
        return self.error in ("", MemoryError.__name__)


def measure(order: Order, limits: Limits) -> Fit | NoFit:
    """Fit and draw in a process of its own.

    Raises:
        Exception: of any kind, if the table could not be made or the generator not be built.
    """
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(order, limits.cpu_seconds, theirs))
    child.start()
    theirs.close()
    with mine:
        reached = _watch(child, limits.memory_bytes)
        if reached:
            return NoFit(f"ended at more than {limits.memory_bytes / GB:g} GB of memory", memory_bytes=float(reached))
        try:
            told = mine.recv()
        except EOFError:
            return _ended(child.exitcode or 0, limits)
    if isinstance(told, Exception):
        raise told
    return told


def _watch(child: SpawnProcess, limit: int) -> int:
    """Wait for the end of a process; return 0, or the bytes at which it was ended."""
    process = psutil.Process(child.pid)
    while child.is_alive():
        try:
            size = int(process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        if size > limit:
            child.kill()
            child.join()
            return size
        child.join(POLL)
    child.join()
    return 0


def _ended(code: int, limits: Limits) -> NoFit:
    """Return why a process that told nothing came to its end."""
    if code == -signal.SIGXCPU:
        return NoFit(f"ended after {limits.cpu_seconds:g} CPU s", cpu_seconds=limits.cpu_seconds)
    if code == -signal.SIGKILL:
        return NoFit("ended by the system, as it is when memory runs out")
    return NoFit(f"the process ended with code {code} and told nothing", error="ProcessError")


def _work(order: Order, cpu_seconds: float, told: Connection) -> None:
    """Carry out an order and tell what it cost, why it failed, or the error that kept it from beginning."""
    _silence()
    try:
        parts = order.table.make(order.rows_rng)
        model = registry.build(order.generator, dict(order.hyperparameters))
    except Exception as error:
        told.send(error)
        return
    _limit(cpu_seconds)
    rng, device = order.fit_rng, order.device
    try:
        begun = time.process_time()
        model.fit(parts.train, parts.schema, validation=parts.validation, rng=rng.branch("fit"), device=device)
        fitted = time.process_time()
        model.sample(order.table.rows, rng=rng.branch("sample"))
        drawn = time.process_time()
    except Exception as error:
        told.send(NoFit(" ".join(str(error).split()), error=type(error).__name__))
        return
    told.send(Fit(fitted - begun, drawn - fitted, peak_memory_bytes()))


def _limit(cpu_seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the signal would leave the memory behind as a file
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + cpu_seconds), hard))


def _silence() -> None:
    """Keep bars and warnings of libraries off the parent's page."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
