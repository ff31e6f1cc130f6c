"""What must every generator be able to do?

A generator learns the joint law of a table's rows and draws new ones. The public methods here are templates that check
their arguments once and measure the cost; a method of the literature fills in the private ones:

- `_fit(train, validation, rng, device)` learns; `self.schema` is already set; it may append to `self.history`;
- `_sample(n, conditions, rng, options)` returns n rows in the schema's order and kinds;
- `_state()` returns (arrays, record): named numpy arrays and a JSON-able record; `_restore(arrays, record)` undoes it.

Abilities are declared, not discovered; asking for what is not among them is an error that says who can serve it.
"""

from __future__ import annotations

import inspect
import json
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from synthcohort.rng import Rng
from synthcohort.schema import Schema, SchemaError

ABILITIES = frozenset({"condition-target", "condition-sensitive", "condition-any", "impute", "density", "private"})


class AbilityError(ValueError):
    """A generator was asked for something that is not among its abilities."""


class FitError(RuntimeError):
    """A fit could not be completed, for the stated reason (diverged loss, too few rows, unusable column)."""


@dataclass(frozen=True)
class Cost:
    """What a fit cost.

    Args:
        parameters: number of learned scalars.
        train_cpu_seconds: processor seconds of this process during `fit`.
        train_seconds: wall seconds of `fit`.
        peak_memory_bytes: largest resident size of the process so far, libraries included.
    """

    parameters: int
    train_cpu_seconds: float
    train_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class PrivacySpent:
    """The privacy budget a fit has used."""

    epsilon: float
    delta: float
    accountant: str
    clip_norm: float


class Generator(ABC):
    """Base of every generator; see the module's text for what a subclass writes.

    Attributes after `fit`:
        schema: the schema it was fitted on.
        history: one record per logged step: step, loss, validation_loss (NaN if none), seconds.
        cost: the `Cost` of the fit.
    """

    abilities: ClassVar[frozenset[str]] = frozenset()
    sampling_options: ClassVar[Mapping[str, str]] = {}

    schema: Schema
    cost: Cost

    def __init__(self) -> None:
        self.history: list[dict[str, float]] = []

    @property
    def name(self) -> str:
        """The name under which the study knows this generator: its module's."""
        return type(self).__module__.rsplit(".", 1)[-1]

    def fit(
        self,
        train: pd.DataFrame,
        schema: Schema,
        *,
        rng: Rng,
        validation: pd.DataFrame | None = None,
        device: str = "cpu",
    ) -> Self:
        """Learn from training rows.

        Args:
            train: [n, P + Q] frame that satisfies `schema`, n >= 2; missing cells only with the ability impute.
            schema: the table's schema.
            rng: the randomness of this fit.
            validation: rows for early stopping, never learned from.
            device: torch device.

        Raises:
            SchemaError: if a frame breaks the schema.
            FitError: if the fit cannot be completed, or a training row or column has no cell at all.
        """
        for frame in (train,) if validation is None else (train, validation):
            schema.check(frame, allow_missing="impute" in self.abilities)
        if len(train) < 2:
            raise FitError(f"{self.name} needs at least 2 training rows, got {len(train)}")
        self._check_some_cells(train)
        self.schema = schema
        self.history = []
        cpu, wall = time.process_time(), time.perf_counter()
        self._fit(train, validation, rng, device)
        self.cost = Cost(
            parameters=self._count_parameters(),
            train_cpu_seconds=time.process_time() - cpu,
            train_seconds=time.perf_counter() - wall,
            peak_memory_bytes=peak_memory_bytes(),
        )
        return self

    def sample(self, n: int, *, rng: Rng, conditions: pd.DataFrame | None = None, **options: Any) -> pd.DataFrame:
        """Draw rows.

        Args:
            n: how many, >= 0.
            rng: the randomness of this draw; the same branch gives the same rows.
            conditions: n rows of the columns the caller fixes; they come back unchanged.
            options: sampling options of this generator (`sampling_options`), none of which needs a refit.

        Returns:
            [n, P + Q] frame that satisfies the schema.

        Raises:
            AbilityError: if these columns cannot be conditioned on.
            TypeError: if an option is unknown.
        """
        if n < 0:
            raise ValueError(f"{self.name}: cannot draw n={n} rows; n must be 0 or more")
        self._check_options(options)
        if conditions is not None and not len(conditions.columns):
            conditions = None
        if conditions is not None:
            self._check_conditions(n, conditions)
        if n == 0:
            return empty_frame(self.schema)
        drawn = self._sample(n, conditions, rng, options).reset_index(drop=True)
        if conditions is not None:
            for name in conditions.columns:
                drawn[name] = conditions[name].reset_index(drop=True)
        return self.schema.check(drawn)

    def impute(self, rows: pd.DataFrame, *, rng: Rng, draws: int = 1, **options: Any) -> list[pd.DataFrame]:
        """Complete the missing cells of `rows`, `draws` times.

        Args:
            rows: [n, P + Q] frame that satisfies the schema but for missing cells; a row may miss all of them.
            rng: the randomness of the draws; draw k takes its branch ("draw", k).
            draws: how many completed frames, >= 1.
            options: sampling options of this generator.

        Returns:
            `draws` frames with the index of `rows`; cells that were there are unchanged, bit for bit.

        Raises:
            AbilityError, SchemaError, TypeError: as `sample`; an infinite cell is named by row and column.
        """
        self._require("impute", "fill missing cells")
        self._check_options(options)
        if draws < 1:
            raise ValueError(f"{self.name}: draws={draws} must be at least 1")
        for name, cells in rows.select_dtypes("number").items():
            for row in rows.index[np.isinf(cells)]:
                raise SchemaError(f"row {row!r}, column {name!r}: the cell is infinite; a missing cell is NaN")
        self.schema.check(rows, allow_missing=True)
        drawn = self._impute(rows.reset_index(drop=True), rng, draws, options)
        return [self.schema.check(frame.set_axis(rows.index)) for frame in drawn]

    def log_density(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the log density of each row, [n], in nats."""
        self._require("density", "give a density")
        return self._log_density(self.schema.check(rows))

    def privacy_spent(self) -> PrivacySpent | None:
        """Return the privacy budget spent, or None for a method without a guarantee."""
        return None

    def hyperparameters(self) -> dict[str, Any]:
        """Return the constructor's arguments as they were given."""
        return {name: getattr(self, name) for name in hyperparameter_names(type(self))}

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), settings (JSON) and losses (CSV) into `folder`; nothing is pickled.

        Seconds and bytes stay out, so that equal fits leave equal files; `cost` is there only after `fit`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        arrays, record = self._state()
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "weights.safetensors")
        self.schema.to_json(folder / "schema.json")
        pd.DataFrame(self.history).drop(columns="seconds", errors="ignore").to_csv(folder / "history.csv", index=False)
        whole = {"hyperparameters": self.hyperparameters(), "record": record}
        (folder / "generator.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; samples are the same as before saving."""
        whole = json.loads((folder / "generator.json").read_text(encoding="utf-8"))
        self = cls(**whole["hyperparameters"])
        self.schema = Schema.from_json(folder / "schema.json")
        self._restore(load_file(folder / "weights.safetensors"), whole["record"])
        return self

    @abstractmethod
    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None: ...

    @abstractmethod
    def _sample(
        self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]
    ) -> pd.DataFrame: ...

    @abstractmethod
    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]: ...

    @abstractmethod
    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None: ...

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int, options: Mapping[str, Any]) -> list[pd.DataFrame]:
        raise NotImplementedError

    def _log_density(self, rows: pd.DataFrame) -> np.ndarray:
        raise NotImplementedError

    def _count_parameters(self) -> int:
        return int(sum(array.size for array in self._state()[0].values()))

    def _require(self, ability: str, ask: str) -> None:
        if ability not in self.abilities:
            raise AbilityError(
                f"{self.name} cannot {ask}: it lacks the ability {ability!r} and has {sorted(self.abilities)}; "
                f"choose a generator whose `abilities` include {ability!r}"
            )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        for unknown in sorted(set(options) - set(self.sampling_options)):
            known = sorted(self.sampling_options) or "none"
            raise TypeError(f"{self.name} has no sampling option {unknown!r}; it has {known}")

    def _check_some_cells(self, train: pd.DataFrame) -> None:
        absent = train.isna()
        for name in absent.columns[absent.all(axis=0)]:
            raise FitError(f"{self.name}: column {name!r} is missing in every training row; drop the column")
        for row in absent.index[absent.all(axis=1)]:
            raise FitError(f"{self.name}: every cell of training row {row!r} is missing; drop the row")

    def _check_conditions(self, n: int, conditions: pd.DataFrame) -> None:
        if len(conditions) != n:
            raise ValueError(f"{self.name}: {len(conditions)} rows of conditions for n={n}; give one row per draw")
        for name in conditions.columns:
            if name not in self.schema.names:
                raise SchemaError(f"condition on unknown column {name!r}; the table has {self.schema.names}")
        part = self.schema.check_part(conditions)
        if "condition-any" in self.abilities:
            return
        target = self.schema.target.name
        sensitive = {c.name for c in self.schema.sensitive}
        for name in part.columns:
            if name == target:
                self._require("condition-target", f"condition on the target {name!r}")
            elif name in sensitive:
                self._require("condition-sensitive", f"condition on the sensitive column {name!r}")
            else:
                self._require("condition-any", f"condition on column {name!r}")


def hyperparameter_names(kind: type[Generator]) -> list[str]:
    """Return the names of a generator's hyperparameters: its constructor's keyword arguments."""
    return [p for p in inspect.signature(kind.__init__).parameters if p != "self"]


def empty_frame(schema: Schema) -> pd.DataFrame:
    """Return a frame without rows that satisfies `schema`."""
    return schema.cast(pd.DataFrame({name: [] for name in schema.names}))


def peak_memory_bytes(status: Path = Path("/proc/self/status")) -> int:
    """Return the largest resident size of this process so far, in bytes.

    Linux's count for `getrusage` outlives the start of another program, so that a small worker of a large process would
    be told the size of the large one; the kernel's own listing is of this program alone.

    Args:
        status: where a Linux kernel lists it.
    """
    if status.is_file():
        for line in status.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
