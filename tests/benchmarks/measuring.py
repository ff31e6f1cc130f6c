"""How is work measured, and how are the numbers printed?"""

from __future__ import annotations

import itertools
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from threadpoolctl import threadpool_info

from synthcohort.generators.base import peak_memory_bytes

LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "xgboost", "torch")


class Clock:
    """CPU seconds by name, in the order the names were first met."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the CPU seconds of this process during the block to those of `name`."""
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - started


def show(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table, each row as soon as it is there: numbers to the right, floats with two places."""
    rule = ["---" if place == 0 else "---:" for place in range(len(head))]
    for row in itertools.chain((head, rule), rows):
        print("| " + " | ".join(map(_text, row)) + " |", flush=True)


def megabytes() -> str:
    """Return the largest resident size of this process so far."""
    return f"{peak_memory_bytes() / 2**20:,.0f} MiB"


def machine() -> str:
    """Return the processor, the largest number of threads any library may use, and the versions of the libraries."""
    threads = max(pool["num_threads"] for pool in threadpool_info())
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{_processor()}; {threads} thread(s); Python {platform.python_version()}, {versions}."


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _text(cell: object) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)
