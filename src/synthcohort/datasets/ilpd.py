"""Indian Liver Patient Dataset: which of these patients has a liver disease?

583 patients of Andhra Pradesh, 10 columns. Source: [Ramana & Venkateswarlu 2012, doi:10.24432/C5D02C]. The file has no
header; the label is 1 = liver patient, 2 = not.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric

TARGET = "liver_patient"
_COLUMNS = {
    "age": ("years", "age; above 89 recorded as 90"),
    "gender": ("", "gender"),
    "total_bilirubin": ("mg/dL", "total bilirubin"),
    "direct_bilirubin": ("mg/dL", "direct (conjugated) bilirubin"),
    "alkaline_phosphatase": ("U/L", "alkaline phosphatase"),
    "alanine_aminotransferase": ("U/L", "alanine aminotransferase (ALT, SGPT)"),
    "aspartate_aminotransferase": ("U/L", "aspartate aminotransferase (AST, SGOT)"),
    "total_protein": ("g/dL", "total protein"),
    "albumin": ("g/dL", "albumin"),
    "albumin_globulin_ratio": ("", "albumin to globulin ratio"),
    TARGET: ("", "1 = liver patient, 2 = not"),
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [583, 11], the last column is the target."""
    entry = CATALOGUE["ilpd"]
    path = folder / entry.files[0].name
    raw = pd.read_csv(path, dtype="str", keep_default_na=False, header=None, names=list(_COLUMNS))
    return assemble([_parse(name, raw[name]) for name in _COLUMNS], "1", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    unit, meaning = _COLUMNS[name]
    if name == TARGET:
        return categorical(name, text, levels=("1", "2"), role="target", meaning=meaning)
    if name == "gender":
        return categorical(name, text, levels=("Female", "Male"), role="sensitive", meaning=meaning)
    return numeric(name, text, unit=unit, meaning=meaning)
