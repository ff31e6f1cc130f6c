"""What does an attacker on membership hold, and whom does he ask about?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from synthcohort.metrics.nearest import Rows, distance_rows, nearest
from synthcohort.schema import Schema


@dataclass(frozen=True)
class Scene:
    """The rows of one attack; what several attacks need of them is computed once.

    Args:
        targets: [n, P + Q] rows whose membership is asked.
        synthetic: [m, P + Q] rows of the generator.
        reference: [r, P + Q] real rows the generator did not learn from, none of them a target.
        schema: the schema of all three.
    """

    targets: pd.DataFrame
    synthetic: pd.DataFrame
    reference: pd.DataFrame
    schema: Schema

    @cached_property
    def scaled(self) -> tuple[Rows, Rows, Rows]:
        """Targets, synthetic and reference rows, ready for distances on the scale of the reference."""
        asked, made, known = (
            distance_rows(frame, self.reference, self.schema)
            for frame in (self.targets, self.synthetic, self.reference)
        )
        return asked, made, known

    @cached_property
    def nearest_synthetic(self) -> np.ndarray:
        """Distance from each target to the nearest synthetic row, [n]."""
        asked, made, _ = self.scaled
        return nearest(asked, made).distance
