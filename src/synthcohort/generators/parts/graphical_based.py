"""What do generators share whose law is a graphical model fitted to noisy tables, and whose budget is zCDP?

The target is in the root of the junction tree, so a class that is asked for is where the draw begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcohort.dp.budget import Ledger
from synthcohort.dp.preprocessing import Measure, by_gaussian
from synthcohort.dp.randomness import Noise
from synthcohort.generators.parts import graphical
from synthcohort.generators.parts.budgeted import Budgeted
from synthcohort.generators.parts.factors import Clique
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.graphical import Fit, Law, Measured
from synthcohort.generators.parts.junction import JunctionTree
from synthcohort.rng import Rng

MOST_RHO = 1e9  # what an infinite budget is spent as


@dataclass(kw_only=True, eq=False)
class GraphicalBased(Budgeted):
    """Base of those whose law is a graphical model and whose budget is zCDP.

    Args:
        rounds: of mirror descent on all tables, >= 1.
    """

    rounds: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, rounds=1)

    def rho_left(self, ledger: Ledger) -> float:
        """Return what is left of the budget in zCDP, finite, with room for rounding."""
        return min(ledger.remaining_rho, MOST_RHO) * (1 - 1e-9)

    def _histograms(self, ledger: Ledger, noise: Noise) -> Measure:
        share = self.histogram_share * self.rho_left(ledger) / len(self.schema.columns)
        return by_gaussian(ledger, rho=share, noise=noise)

    def _fit_law(self, measured: list[Measured], n: int, *, rounds: int, start: Fit | None = None) -> Fit:
        """Return the law closest to the tables and log its loss."""
        fitted = graphical.fit(measured, self.table.levels, rows=n, root=self.root, rounds=rounds, start=start)
        self._log(fitted.loss)
        return fitted

    def _names(self, clique: Clique) -> str:
        return ", ".join(self.schema.names[c] for c in clique)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        asked = self._target_codes(conditions)
        uniform = [rng.branch("clique", i).numpy().random(n) for i in range(len(self.law.tree.cliques))]
        codes = self.law.sample(n, uniform, {} if asked is None else {self.root: asked})
        return self.table.frame(codes, rng.branch("rows"))

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()
        tables = {f"log_table_{i}": a for i, a in enumerate(self.law.log_tables)}
        return {**arrays, **tables}, {**record, "tree": asdict(self.law.tree)}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        super()._restore(arrays, record)
        kept = record["tree"]
        cliques, separators = (tuple(tuple(c) for c in kept[name]) for name in ("cliques", "separators"))
        tree = JunctionTree(cliques, tuple(kept["parents"]), separators)
        self.law = Law(tree, [arrays[f"log_table_{i}"] for i in range(len(cliques))])
