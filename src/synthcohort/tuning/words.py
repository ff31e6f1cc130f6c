"""What does the page of a search say in words and numbers? Every sentence is computed from the trials."""

from __future__ import annotations

import json

import pandas as pd

from synthcohort.tuning import trials


def verdict(frame: pd.DataFrame) -> str:
    """Return what the search found, and against what."""
    found = trials.objectives(frame).set_index("trial")
    best = trials.chosen(frame)
    value, start = found.loc[best, "value"], found.loc[0, "value"]
    gain = f"trial 0, where the search began, reached {start:.3f}" if start == start else "trial 0 failed"
    setting = ", ".join(f"`{name}` {choice}" for name, choice in trials.setting_of(frame, best).items())
    return f"Chosen is trial {best} of {len(found)} with {setting}: objective {value:.3f}; {gain}."


def caption(frame: pd.DataFrame) -> str:
    """Return the caption of the figure of a search."""
    found, tables = trials.objectives(frame), sorted(set(frame["table"]) - {trials.ALL})
    failed = int(found["value"].isna().sum())
    lost = f" {failed} failed and {'has' if failed == 1 else 'have'} no objective." if failed else ""
    return (
        f"Objective of {len(found)} trials, the mean over {', '.join(tables)}.{lost} One fit a table and trial: small "
        f"differences are noise, and the highest of {len(found)} noisy values is too high."
    )


def failures(frame: pd.DataFrame) -> list[str]:
    """Return one sentence per trial that failed."""
    lost = trials.objectives(frame).query("state == 'FAIL'")
    return [f"Trial {row.trial} failed. {str(row.reason).rstrip('.')}." for row in lost.itertuples()]


def parts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of the objective of the first and of the chosen trial, one row a table and part."""
    compared = {"began": 0, "chosen": trials.chosen(frame)}
    columns = {
        name: frame[frame["trial"] == number].set_index(["table", "part"])["value"] for name, number in compared.items()
    }
    return pd.DataFrame(columns).reindex(columns["chosen"].index).reset_index()


def listed(frame: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return every trial with its setting, objective and CPU seconds, the best first."""
    found = trials.objectives(frame)
    seconds = costs.groupby("trial")[["fit_cpu_seconds", "judge_cpu_seconds"]].sum()
    whole = pd.DataFrame([json.loads(text) for text in found["setting"]]).map(str)
    whole = pd.concat([found[["trial", "value"]], whole], axis=1).rename(columns={"value": "objective"})
    return whole.join(seconds, on="trial").sort_values("objective", ascending=False, kind="stable")
