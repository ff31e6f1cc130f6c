"""What is kept of a search for settings, and which setting has it found?

Every trial, also one that failed: its setting as JSON text, each part of the objective on each table, the objective
itself (table "all"), and the reason if there is none. Seconds stand in a file of their own, so that the trials of a
repeated search are the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from synthcohort.study import Choice, ParamsError
from synthcohort.tuning.objective import Parts

COLUMNS = ["generator", "trial", "state", "setting", "table", "part", "value", "reason"]
COSTS = ["generator", "trial", "table", "fit_cpu_seconds", "judge_cpu_seconds"]
WHOLE = "objective"
ALL = "all"

Setting: TypeAlias = Mapping[str, Choice]


@dataclass(frozen=True)
class Outcome:
    """What one setting gave on one table.

    Args:
        table: name of the table.
        parts: the parts of the objective; None if the fit or a part failed.
        reason: why, "" if nothing failed.
        fit_cpu_seconds: of the fit and the draw.
        judge_cpu_seconds: of the objective.
    """

    table: str
    parts: Parts | None
    reason: str
    fit_cpu_seconds: float
    judge_cpu_seconds: float


@dataclass(frozen=True)
class Trial:
    """One setting on every table; after a table that failed the others are not tried.

    Args:
        number: from 0.
        setting: hyperparameter -> the choice tried.
        outcomes: one per table tried.
    """

    number: int
    setting: Setting
    outcomes: tuple[Outcome, ...]

    @property
    def reason(self) -> str:
        """Why there is no objective; "" if there is one."""
        return next((f"{o.table}: {o.reason}" for o in self.outcomes if o.reason), "")

    @property
    def value(self) -> float:
        """The objective; NaN if the trial failed."""
        values = [o.parts.value for o in self.outcomes if o.parts is not None]
        return math.nan if self.reason else sum(values) / len(values)


def to_frame(trials: Sequence[Trial], generator: str) -> pd.DataFrame:
    """Return the trials of one generator as a tidy frame with the columns `COLUMNS`."""
    rows = []
    for trial in trials:
        state, setting = "FAIL" if trial.reason else "COMPLETE", json.dumps(dict(trial.setting))
        head = {"generator": generator, "trial": trial.number, "state": state, "setting": setting}
        rows.append({**head, "table": ALL, "part": WHOLE, "value": trial.value, "reason": trial.reason})
        for outcome in trial.outcomes:
            parts = {} if outcome.parts is None else asdict(outcome.parts)
            rows += [{**head, "table": outcome.table, "part": p, "value": v, "reason": ""} for p, v in parts.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def costs(trials: Sequence[Trial], generator: str) -> pd.DataFrame:
    """Return the CPU seconds of the trials of one generator as a frame with the columns `COSTS`."""
    rows = [{"generator": generator, "trial": trial.number, **asdict(o)} for trial in trials for o in trial.outcomes]
    return pd.DataFrame(rows)[COSTS]


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame of trials or of their cost, rounded to 10 significant digits, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    frame.to_csv(partial, index=False, float_format="%.10g", lineterminator="\n")
    partial.replace(path)


def read(path: Path) -> pd.DataFrame:
    """Read a file of trials.

    Raises:
        ParamsError: if there is none.
    """
    if not path.is_file():
        raise ParamsError(f"{path.stem} has no trials yet; run `synthcohort tune --generator {path.stem}`")
    return pd.read_csv(path, keep_default_na=False, na_values={"value": [""]})[COLUMNS]


def objectives(trials: pd.DataFrame) -> pd.DataFrame:
    """Return one row per trial, in order: trial, state, setting, value (NaN if it failed), reason."""
    return trials[trials["part"] == WHOLE].drop(columns=["generator", "table", "part"]).reset_index(drop=True)


def chosen(trials: pd.DataFrame) -> int:
    """Return the number of the trial with the highest objective, the earliest of equals.

    Raises:
        ParamsError: if every trial failed, with the first reason.
    """
    found = objectives(trials)
    if found["value"].isna().all():
        raise ParamsError(
            f"all {len(found)} trials of {trials['generator'].iloc[0]} failed; the first: {found['reason'].iloc[0]}"
        )
    return int(found.loc[found["value"].idxmax(), "trial"])


def setting_of(trials: pd.DataFrame, number: int) -> dict[str, Choice]:
    """Return the setting of one trial."""
    text = trials.loc[trials["trial"] == number, "setting"].iloc[0]
    return dict(json.loads(text))
