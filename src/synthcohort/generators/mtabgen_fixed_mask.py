"""What do dynamic masks bring to MTabGen when rows are drawn? The same generator with one mask: the target is given.

In training the target is always given and everything else free, so the network learns the law of a row given its target
and nothing else. A target nobody asked for is drawn as the training rows have it: a level by its frequency, a number
by the normal law of its scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.generators.mtabgen import MTabGen
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class MTabGenFixedMask(MTabGen):
    """MTabGen for drawing rows alone."""

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    def _mask(self, known: Tensor, generator: torch.Generator) -> Tensor:
        features = torch.tensor([name != self.schema.target.name for name in self.table.names], device=known.device)
        return known & features

    def _complete(self, rows: pd.DataFrame, free: np.ndarray, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        target = self.schema.target.name
        place = self.schema.names.index(target)
        if not free[:, place].any():
            return super()._complete(rows, free, rng, options)
        rows = rows.assign(**{target: self.table.marginal(target, len(rows), rng.branch("target"))})
        others = free & (np.arange(free.shape[1]) != place)
        return super()._complete(rows, others, rng, options)
