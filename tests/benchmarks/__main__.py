"""What does the study's work cost on this machine?

    python tests/benchmarks metrics [--table pima]        every metric of one generator on one split
    python tests/benchmarks wide                          dimension-wise prediction of a wide binary matrix
    python tests/benchmarks generators [names]            a fit, a sample and its quality, for each generator
    python tests/benchmarks private [names]               a private fit beside the fit without privacy
    python tests/benchmarks known_law [names]             how well each generator learns a law that is known
    python tests/benchmarks extraction [--rows N]         drawing a cohort from MIMIC's events, 50 million by default

Each prints a Markdown table. Its numbers are CPU seconds of one thread on this machine, so none of them is a test.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

BENCHMARKS = ("metrics", "wide", "generators", "private", "known_law", "extraction")


def main(arguments: list[str]) -> None:
    """Run the benchmark that the first argument names with the others as its options."""
    if not arguments or arguments[0] not in BENCHMARKS:
        sys.exit(f"{__doc__}\nName one of: {', '.join(BENCHMARKS)}.")
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"  # read when numpy and torch are loaded, so before the benchmark is
    import_module(arguments[0]).main(arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
