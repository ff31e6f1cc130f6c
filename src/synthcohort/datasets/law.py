"""Which tables have a known law, so that the best possible prediction can be computed?

A simulated table's module may offer `case_probability`: P(target = positive level | row), exact. No real table has one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pandas as pd

Law = Callable[[pd.DataFrame], np.ndarray]  # [n, P + Q] rows -> [n] probabilities of the positive level


def known_law(dataset: str) -> Law | None:
    """Return the exact case probability of the table called `dataset`, None if nobody knows it."""
    try:
        module = importlib.import_module(f"synthcohort.datasets.{dataset}")
    except ModuleNotFoundError:
        return None
    return getattr(module, "case_probability", None)
