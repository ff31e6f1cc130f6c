"""MIMIC: which diagnoses was each patient ever given?

One row a patient, one binary column a category of diagnosis, in the order of the codes: the table of medGAN [Choi 2017]
and of those who followed it, 46,520 x 1,071 from MIMIC-III by its script. Rows are the patients of ADMISSIONS, columns
the categories that occur in DIAGNOSES_ICD (`icd.shorten`), a cell is 1 if any admission of the patient has the code.
MIMIC-IV codes later admissions in ICD-10: its categories are columns of their own, since no cut maps one to the other.

Departs: diagnoses without a code are no column here; in medGAN's script the empty text is one, so the width here can be
one less. The 1,782 columns that others report [Yuan 2023, EHRDiff] cannot come from diagnoses
alone: MIMIC-III's dictionary has 1,234 categories of diagnoses in all; 890 of procedures, cut to three characters, make
room for it. Which rule gave that number is not published with its code.

The source names no outcome. The target is the commonest category that at most half of the patients have.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from synthcohort.datasets import credentialed, icd
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.credentialed import Extract
from synthcohort.datasets.csv_stream import AGAIN
from synthcohort.datasets.mimic_files import Mimic, open_folder
from synthcohort.datasets.table import Table, TableError, assemble

NAME = "mimic_icd"
_CUTS = {"9": icd.shorten, "10": icd.shorten_icd10}


def sources(folder: Path) -> list[Path]:
    """Return the files that decide the cohort."""
    mimic = open_folder(folder)
    return [mimic.path(name) for name in ("PATIENTS", "ADMISSIONS", "DIAGNOSES_ICD")]


def extract(folder: Path) -> Extract:
    """Draw a row for each patient of MIMIC in `folder`, ordered by subject_id: its categories, separated by blanks.

    Raises:
        TableError: if a file is missing, damaged, of another version or inconsistent.
    """
    mimic = open_folder(folder)
    admissions = mimic.table("ADMISSIONS", ("subject_id", "hadm_id"), key=("hadm_id",))
    _check_patients(mimic, admissions)
    recorded = _categories(mimic, admissions)
    patients = sorted(admissions["subject_id"].unique(), key=int)
    had = recorded.groupby("subject_id")["category"].agg(lambda found: " ".join(sorted(set(found))))
    codes = had.reindex(patients).fillna("")
    remark = f"Drawn from MIMIC-{'III, all codes ICD-9' if mimic.version == 3 else 'IV, codes ICD-9 and ICD-10'}."
    return Extract(pd.DataFrame({"codes": codes.to_numpy()}), (remark,))


def read(folder: Path) -> Table:
    """Return the cohort in `folder` as a table of 0 and 1."""
    drawn = credentialed.read(folder)
    pairs = drawn.cells["codes"].str.split().explode().dropna()
    held = icd.matrix(pd.DataFrame({"patient": pairs.index, "code": pairs.to_numpy()}), range(len(drawn.cells)))
    target = icd.commonest(held)
    card = CATALOGUE[NAME].card
    parts = icd.columns(held, target, meaning="ever diagnosed: {}")
    remark = f"The target is {target}."
    return assemble(parts, "1", replace(card, quirks=(*card.quirks, *drawn.remarks, remark)))


def _check_patients(mimic: Mimic, admissions: pd.DataFrame) -> None:
    """Refuse patients without an admission where every patient has one; in MIMIC-IV many were never admitted."""
    patients = mimic.table("PATIENTS", ("subject_id",), key=("subject_id",))
    without = int((~patients["subject_id"].isin(admissions["subject_id"])).sum())
    if without and mimic.version == 3:
        raise TableError(
            f"{mimic.path('ADMISSIONS').name}: {without} patient(s) of {mimic.path('PATIENTS').name} have no admission "
            f"in it, which in MIMIC-III all have: the file is incomplete; {AGAIN}"
        )


def _categories(mimic: Mimic, admissions: pd.DataFrame) -> pd.DataFrame:
    """Return subject_id and category of every coded diagnosis."""
    codes = ("icd9_code",) if mimic.version == 3 else ("icd_code", "icd_version")
    rows = mimic.table("DIAGNOSES_ICD", ("subject_id", "hadm_id", "seq_num", *codes), key=("hadm_id", "seq_num"))
    name = mimic.path("DIAGNOSES_ICD").name
    strangers = int((~rows["hadm_id"].isin(admissions["hadm_id"])).sum())
    if strangers:
        raise TableError(
            f"{mimic.path('ADMISSIONS').name}: {strangers} row(s) of {name} belong to an admission that is not in it, "
            f"so one of the two is incomplete; {AGAIN}"
        )
    revision = rows["icd_version"].str.strip() if "icd_version" in rows else pd.Series("9", index=rows.index)
    if not revision.isin(list(_CUTS)).all():
        raise TableError(f"{name}: a cell of icd_version is neither 9 nor 10; {AGAIN}")
    coded = rows.assign(code=rows[codes[0]].str.strip(), revision=revision)
    coded = coded[coded["code"] != ""]
    names = {
        (r, code): f"icd{r}_{_CUTS[r](code)}"
        for r, code in coded[["revision", "code"]].drop_duplicates().itertuples(index=False)
    }
    category = [names[pair] for pair in zip(coded["revision"], coded["code"], strict=True)]
    return coded[["subject_id"]].assign(category=category)
