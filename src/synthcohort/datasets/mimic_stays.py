"""Which stays in intensive care is mortality asked of, and what is known of them on arrival?

Each patient's first stay in intensive care, if the patient is an adult and the stay lasts HOURS or longer. The outcome
is death in hospital after those hours; a patient whose death is recorded within them is left out, since there would be
nothing to predict. Of the tables only those columns are opened that are known by then: no time of discharge or length
of stay, no last care unit, no diagnosis. The time of death and the end of the stay are used to choose the cohort and
nothing else.

Ages: MIMIC-III shifts the birth of patients above 89 years to about 300 years before their first admission, MIMIC-IV
writes 91 for them. Any age above 89 is given as one value, which for MIMIC-III is 91.4, the median its documentation
states for these patients.
"""

from __future__ import annotations

import pandas as pd

from synthcohort.datasets.csv_stream import AGAIN, read_header
from synthcohort.datasets.mimic_files import Mimic, wrong_version
from synthcohort.datasets.table import TableError

HOURS = 24
ADULT, OLDEST = 18, 89  # years
BEYOND = {3: 91.4, 4: 91.0}  # years, what stands for an age above OLDEST
SHIFTED = 299  # years; from here on a birth was shifted on purpose
IMPOSSIBLE = 120  # years; between this and SHIFTED no date makes sense
_ETHNICITIES = {
    "WHITE": "white",
    "BLACK": "black",
    "HISPANIC": "hispanic",
    "SOUTH AMERICAN": "hispanic",
    "ASIAN": "asian",
    "UNKNOWN": "unknown",
    "UNABLE": "unknown",
    "PATIENT DECLINED": "unknown",
}
GROUPS = ("asian", "black", "hispanic", "other", "unknown", "white")


def first_stays(mimic: Mimic) -> pd.DataFrame:
    """Return the stays of the cohort, one a patient, ordered by subject_id.

    Returns:
        columns subject_id (int), intime (a time), age (completed years), gender, ethnicity, insurance,
        admission_type, care_unit, died ("0" or "1"); numbered from 0.

    Raises:
        TableError: if a file is missing, damaged, of another version or inconsistent, or nobody fits.
    """
    stays = mimic.table(
        "ICUSTAYS",
        ("subject_id", "hadm_id", mimic.stay, "first_careunit", "intime", "outtime"),
        key=(mimic.stay,),
    )
    for column in ("intime", "outtime"):
        stays[column] = _times(mimic, "ICUSTAYS", stays[column])
    ordered = stays.assign(order=stays[mimic.stay].astype("int64")).sort_values(["intime", "order"])
    joined = _with_admissions(mimic, ordered.drop_duplicates("subject_id"))
    joined["age"] = _ages(mimic, joined)
    window = joined["intime"] + pd.Timedelta(hours=HOURS)
    fits = (joined["age"] >= ADULT) & (joined["outtime"] >= window) & ~(joined["deathtime"] < window)
    if not fits.any():
        raise TableError(f"{mimic.folder}: no adult's first stay in intensive care lasts {HOURS} hours or longer")
    _check_codes(mimic, joined[fits])
    kept = joined[fits].assign(
        subject_id=lambda t: t["subject_id"].astype("int64"),
        age=lambda t: t["age"].astype("float64").where(t["age"] <= OLDEST, BEYOND[mimic.version]),
        ethnicity=lambda t: t["ethnicity"].map(_group),
    )
    kept = kept.rename(columns={"first_careunit": "care_unit", "hospital_expire_flag": "died"})
    columns = ["subject_id", "intime", "age", "gender", "ethnicity", "insurance", "admission_type", "care_unit", "died"]
    return kept[columns].sort_values("subject_id").reset_index(drop=True)


def _with_admissions(mimic: Mimic, stays: pd.DataFrame) -> pd.DataFrame:
    """Return stays with the columns of their admission and patient."""
    path = mimic.path("ADMISSIONS")
    race = next((name for name in ("ethnicity", "race") if name in read_header(path)), None)
    if race is None:
        raise wrong_version(path, ["ethnicity or race"], mimic.version)
    admissions = mimic.table(
        "ADMISSIONS",
        ("hadm_id", "admission_type", "insurance", race, "deathtime", "hospital_expire_flag"),
        key=("hadm_id",),
    ).rename(columns={race: "ethnicity"})
    admissions["deathtime"] = _times(mimic, "ADMISSIONS", admissions["deathtime"])
    births = ("dob",) if mimic.version == 3 else ("anchor_age", "anchor_year")
    patients = mimic.table("PATIENTS", ("subject_id", "gender", *births), key=("subject_id",))
    for column, name, known in (("hadm_id", "ADMISSIONS", admissions), ("subject_id", "PATIENTS", patients)):
        strangers = int((~stays[column].isin(known[column])).sum())
        if strangers:
            raise TableError(
                f"{mimic.path(name).name}: {strangers} stay(s) of {mimic.path('ICUSTAYS').name} have a {column} that "
                f"is not in it, so one of the two is incomplete; {AGAIN}"
            )
    return stays.merge(admissions, on="hadm_id", how="left").merge(patients, on="subject_id", how="left")


def _check_codes(mimic: Mimic, cohort: pd.DataFrame) -> None:
    """Refuse outcomes and genders that are no code of MIMIC."""
    for name, column, allowed in (("ADMISSIONS", "hospital_expire_flag", "01"), ("PATIENTS", "gender", "FM")):
        odd = int((~cohort[column].isin(list(allowed))).sum())
        if odd:
            raise TableError(
                f"{mimic.path(name).name}: {odd} {column}(s) of the cohort are neither {' nor '.join(allowed)}; {AGAIN}"
            )


def _ages(mimic: Mimic, joined: pd.DataFrame) -> pd.Series:
    """Return ages in completed years at the start of the stay, NaN if unknown; shifted ones stay about 300 here."""
    if mimic.version == 3:
        now, birth = joined["intime"].dt, _times(mimic, "PATIENTS", joined["dob"]).dt
        birthday_ahead = (now.month < birth.month) | ((now.month == birth.month) & (now.day < birth.day))
        ages = (now.year - birth.year) - birthday_ahead.astype("int64")
    else:
        try:
            ages = joined["anchor_age"].astype(float) + joined["intime"].dt.year - joined["anchor_year"].astype(float)
        except ValueError:
            raise TableError(
                f"{mimic.path('PATIENTS').name}: an anchor_age or anchor_year is no number; {AGAIN}"
            ) from None
    wrong = int((ages.isna() | (ages < 0) | ((ages > IMPOSSIBLE) & (ages < SHIFTED))).sum())
    if wrong:
        raise TableError(
            f"{mimic.path('PATIENTS').name}: the age at the first stay of {wrong} patient(s) is unknown, below 0 or "
            f"between {IMPOSSIBLE} and {SHIFTED} years (dates shifted on purpose give {SHIFTED} and more); {AGAIN}"
        )
    return ages


def _times(mimic: Mimic, name: str, text: pd.Series) -> pd.Series:
    """Return n times written as text, NaT where empty."""
    try:
        return pd.to_datetime(text.mask(text == ""), format="%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise TableError(
            f"{mimic.path(name).name}: a cell of {text.name} is not a time such as 2150-01-31 23:59:00; {AGAIN}"
        ) from None


def _group(text: str) -> str:
    """Return the group of one of MIMIC's forty-odd ethnicities, by how it starts."""
    if not text:
        return "unknown"
    return next((group for start, group in _ETHNICITIES.items() if text.startswith(start)), "other")
