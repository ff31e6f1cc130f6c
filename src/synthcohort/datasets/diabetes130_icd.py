"""Diabetes in 130 hospitals, the codes alone: which diagnoses does a patient have?

71,518 patients, 446 diagnosis codes and the target: readmitted within 30 days after any stay (8,834 patients, 12.4 %).
Source: [Strack 2014; UCI 296], the file of `diabetes130`, made into a matrix as `mimic_icd` is. Codes that fewer than
20 patients have are left out. Rows stand in the order of the patients' first row in the file, columns in that of the
codes.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets import icd
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.diabetes130 import DIAGNOSES, EARLY, MISSING, PATIENT, TARGET, read_raw
from synthcohort.datasets.table import Table, assemble

FEWEST_PATIENTS = 20


def read(folder: Path) -> Table:
    """Return the table in `folder`: [71518, 447], the last column is the target."""
    raw = read_raw(folder)
    early = (raw[TARGET] == EARLY).groupby(raw[PATIENT], sort=False).any()
    held = icd.matrix(_pairs(raw), list(early.index))
    held = held.loc[:, held.sum() >= FEWEST_PATIENTS]
    (target,) = icd.columns(
        pd.DataFrame({TARGET: early.to_numpy()}), TARGET, meaning="1 = readmitted within 30 days after any stay"
    )
    return assemble([*icd.columns(held, TARGET, meaning="ICD-9 {}"), target], "1", CATALOGUE["diabetes130_icd"].card)


def _pairs(raw: pd.DataFrame) -> pd.DataFrame:
    """Return patient and code of each diagnosis noted, [diagnoses, 2]."""
    long = raw.melt(id_vars=PATIENT, value_vars=DIAGNOSES, value_name="code")
    long = long[[PATIENT, "code"]].rename(columns={PATIENT: "patient"})
    noted = long[long["code"] != MISSING]
    return noted.assign(code=noted["code"].map({code: icd.shorten(code) for code in noted["code"].unique()}))
