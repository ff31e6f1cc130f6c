"""Chronic Kidney Disease: which of these patients has a chronic kidney disease?

400 patients of a hospital in Tamil Nadu, 24 columns, 250 cases, a tenth of all cells missing. Source: [Rubini 2015,
doi:10.24432/C5G020]. The file is an irregular ARFF: a question mark is a missing cell, some cells have stray blanks or
tabs, and three rows a stray comma. Three laboratory values have limits beyond which no patient lives.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.raw_text import categorical_with_holes, within
from synthcohort.datasets.table import Parsed, Table, TableError, assemble, categorical, numeric

TARGET = "class"
POSSIBLE = {"sc": (0.1, 60), "sod": (80, 200), "pot": (1, 15)}
_MARKS = ("?", "")
_NUMERIC = {
    "age": ("years", "age"),
    "bp": ("mmHg", "blood pressure"),
    "bgr": ("mg/dL", "random blood glucose"),
    "bu": ("mg/dL", "blood urea"),
    "sc": ("mg/dL", "serum creatinine"),
    "sod": ("mEq/L", "sodium"),
    "pot": ("mEq/L", "potassium"),
    "hemo": ("g/dL", "haemoglobin"),
    "pcv": ("%", "packed cell volume"),
    "wbcc": ("cells/µL", "white blood cell count"),
    "rbcc": ("10^6/µL", "red blood cell count"),
}
_CATEGORICAL = {
    "sg": "specific gravity of the urine",
    "al": "albumin in the urine, grade",
    "su": "sugar in the urine, grade",
    "rbc": "red blood cells in the urine",
    "pc": "pus cells",
    "pcc": "pus cell clumps",
    "ba": "bacteria",
    "htn": "hypertension",
    "dm": "diabetes mellitus",
    "cad": "coronary artery disease",
    "appet": "appetite",
    "pe": "pedal oedema",
    "ane": "anaemia",
}
NAMES = [
    *("age", "bp", "sg", "al", "su", "rbc", "pc", "pcc", "ba", "bgr", "bu", "sc", "sod", "pot", "hemo", "pcv", "wbcc"),
    *("rbcc", "htn", "dm", "cad", "appet", "pe", "ane", TARGET),
]


def read(folder: Path) -> Table:
    """Return the table in `folder`: [400, 25], the last column is the target.

    Raises:
        TableError: if a row has not as many cells as there are columns.
    """
    entry = CATALOGUE["ckd"]
    raw = _rows(folder / entry.files[0].name)
    for name, (low, high) in POSSIBLE.items():
        raw[name] = within(raw[name], low, high)
    return assemble([_parse(name, raw[name]) for name in NAMES], "ckd", entry.card)


def _rows(path: Path) -> pd.DataFrame:
    """Return the text of the data section, [n, 25]; a missing cell has a mark, so an empty one is a stray comma's."""
    lines = path.read_text(encoding="utf-8").partition("@data")[2].splitlines()
    split = ([cell.strip() for cell in line.split(",")] for line in lines if line.strip())
    rows = [[cell for cell in cells if cell] for cells in split]
    uneven = [number for number, row in enumerate(rows, 1) if len(row) != len(NAMES)]
    if uneven:
        raise TableError(f"{path}: row {uneven[0]} of the data has not {len(NAMES)} cells; supply the publisher's file")
    return pd.DataFrame(rows, columns=NAMES)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name == TARGET:
        return categorical(name, text, levels=("notckd", "ckd"), role="target", meaning="chronic kidney disease or not")
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning, missing=_MARKS)
    return categorical_with_holes(name, text, missing=_MARKS, meaning=_CATEGORICAL[name])
