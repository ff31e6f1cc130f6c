"""MIMIC: who dies in hospital, judged from the first 24 hours of intensive care?

One row for each adult's first stay in intensive care of 24 hours or longer (`mimic_stays` says of whom exactly): age,
gender, ethnicity, insurance, kind of admission and care unit as known on arrival, and the lowest, mean, highest and
last value of each of MIMIC's usual vital signs and laboratory values (`mimic_measures`) taken in [0, 24) hours after
arrival in the unit. Nothing later is opened, so nothing later can leak.

Source: MIMIC-III v1.4 [Johnson 2016] or MIMIC-IV [Johnson 2023], from the reader's own folder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from synthcohort.datasets import credentialed
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.credentialed import Extract
from synthcohort.datasets.mimic_events import STATISTICS, summarise
from synthcohort.datasets.mimic_files import Mimic, find, open_folder
from synthcohort.datasets.mimic_measures import LABS, VITALS, Measure
from synthcohort.datasets.mimic_stays import GROUPS, HOURS, first_stays
from synthcohort.datasets.raw_text import shortest
from synthcohort.datasets.table import MISSING_LEVEL, Parsed, Table, assemble, categorical, numeric

NAME = "mimic_mortality"
TARGET = "died_in_hospital"
SMALLEST_SHARE = 0.05  # of the stays; a measure taken in fewer is left out
DECIMALS = 2
_REQUIRED = ("PATIENTS", "ADMISSIONS", "ICUSTAYS", "LABEVENTS")
_ARRIVAL = {
    "insurance": "who pays",
    "admission_type": "kind of admission",
    "care_unit": "first intensive care unit",
}
_GENDERS = {"F": "female", "M": "male"}
_MEASURES = {measure.name: measure for measure in (*VITALS, *LABS)}


def sources(folder: Path) -> list[Path]:
    """Return the files that decide the cohort."""
    mimic = open_folder(folder)
    charted = find(folder, "CHARTEVENTS")
    return [*(mimic.path(name) for name in _REQUIRED), *([charted] if charted else [])]


def extract(folder: Path) -> Extract:
    """Draw the cohort from the files of MIMIC in `folder`.

    Raises:
        TableError: if a file is missing, damaged, of another version or inconsistent.
    """
    mimic = open_folder(folder)
    stays = first_stays(mimic)
    wanted: dict[str, tuple[Measure, ...]] = {"LABEVENTS": LABS}
    remarks = [f"Drawn from MIMIC-{'III' if mimic.version == 3 else 'IV'}."]
    mimic.path("LABEVENTS")
    if find(folder, "CHARTEVENTS"):
        wanted = {"CHARTEVENTS": VITALS, **wanted}
    else:
        remarks.append("CHARTEVENTS was not in the folder: no vital sign is among the columns.")
        print(f"!! {NAME}: no CHARTEVENTS in {folder}: the table gets no vital signs", flush=True)
    parts = [_wide(mimic, name, stays, measures) for name, measures in wanted.items()]
    measured = pd.concat(parts, axis=1)
    rare = [m.name for group in wanted.values() for m in group if not _common(measured, m)]
    if rare:
        remarks.append(f"Taken in fewer than {100 * SMALLEST_SHARE:g} % of the stays and left out: {', '.join(rare)}.")
    kept = [f"{m.name}_{s}" for group in wanted.values() for m in group if m.name not in rare for s in STATISTICS]
    arrival = stays[["age", "gender", "ethnicity", *_ARRIVAL]]
    return Extract(pd.concat([arrival, measured[kept], stays["died"].rename(TARGET)], axis=1), tuple(remarks))


def read(folder: Path) -> Table:
    """Return the cohort in `folder` as a table; the last column is the target."""
    drawn = credentialed.read(folder)
    card = CATALOGUE[NAME].card
    cells = drawn.cells
    parts = [_column(name, cells[name]) for name in cells]
    return assemble(parts, "1", replace(card, quirks=(*card.quirks, *drawn.remarks)))


def _wide(mimic: Mimic, name: str, stays: pd.DataFrame, measures: tuple[Measure, ...]) -> pd.DataFrame:
    """Return the statistics of each measure, a row for each stay in order, [n, 4 x measures]; NaN where not taken."""
    windows = stays[["subject_id", "intime"]].rename_axis("stay").reset_index()
    found = summarise(mimic.path(name), windows, measures, hours=HOURS, version=mimic.version)
    found = found.set_index("stay")
    parts = [
        found.loc[found["measure"] == m.name, list(STATISTICS)].reindex(stays.index).add_prefix(f"{m.name}_")
        for m in measures
    ]
    return pd.concat(parts, axis=1).round(DECIMALS)


def _common(measured: pd.DataFrame, measure: Measure) -> bool:
    return bool(measured[f"{measure.name}_last"].notna().mean() >= SMALLEST_SHARE)


def _column(name: str, text: pd.Series) -> Parsed:
    if name == "age":
        return numeric(name, shortest(text), unit="years", meaning="age; above 89 given as one value")
    if name == "gender":
        levels = tuple(_GENDERS.values())
        return categorical(name, text.replace(_GENDERS), levels=levels, meaning="gender", role="sensitive")
    if name == "ethnicity":
        return categorical(name, text, levels=GROUPS, meaning="ethnicity, in groups", role="sensitive")
    if name == TARGET:
        return categorical(name, text, levels=("0", "1"), meaning=f"1 = died after {HOURS} hours", role="target")
    if name in _ARRIVAL:
        return categorical(name, text.replace({"": MISSING_LEVEL}), meaning=_ARRIVAL[name])
    measure, statistic = name.rsplit("_", 1)
    what = _MEASURES[measure]
    return numeric(name, shortest(text), unit=what.unit, meaning=f"{what.meaning}, {statistic} of the first day")
