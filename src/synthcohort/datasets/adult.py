"""Adult: does a person of the 1994 census of the United States earn more than 50,000 dollars a year?

48,842 persons, 14 columns. Source: [Becker & Kohavi 1996, doi:10.24432/C5XW20]. Both files are joined. Cells are
separated by a comma and a blank; adult.test starts with a comment line and ends its labels with a full stop; a question
mark is an unknown answer, kept as the level "missing".
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import MISSING_LEVEL, Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "income"
_NUMERIC = {
    "age": ("years", "age"),
    "fnlwgt": ("persons", "sampling weight of the survey"),
    "education-num": ("", "rank of the education level"),
    "capital-gain": ("USD", "capital gains of the year"),
    "capital-loss": ("USD", "capital losses of the year"),
    "hours-per-week": ("h", "hours of work a week"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "workclass": ("feature", "employer"),
    "education": ("feature", "highest education"),
    "marital-status": ("feature", "marital status"),
    "occupation": ("feature", "occupation"),
    "relationship": ("feature", "relationship to the householder"),
    "race": ("sensitive", "race as recorded by the census"),
    "sex": ("sensitive", "sex"),
    "native-country": ("feature", "country of birth"),
    TARGET: ("target", "income of the year, USD"),
}
NAMES = [
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship"),
    *("race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", TARGET),
]


def read(folder: Path) -> Table:
    """Return the table in `folder`: [48842, 15], adult.data first, the last column is the target."""
    entry = CATALOGUE["adult"]
    data, test = (folder / file.name for file in entry.files)
    raw = pd.concat([_read_file(data, skip=0), _read_file(test, skip=1)], ignore_index=True)
    raw[TARGET] = raw[TARGET].str.removesuffix(".")
    return assemble([_parse(name, raw[name]) for name in NAMES], ">50K", entry.card)


def _read_file(path: Path, *, skip: int) -> pd.DataFrame:
    text = pd.read_csv(
        path, dtype="str", keep_default_na=False, header=None, names=NAMES, skiprows=skip, skipinitialspace=True
    )
    return text.apply(lambda column: column.str.strip())


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text.replace("?", MISSING_LEVEL), role=role, meaning=meaning)
