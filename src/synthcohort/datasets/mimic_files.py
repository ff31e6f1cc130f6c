"""Where are the files of MIMIC in a folder, which version are they, and are they whole?

A file is looked for by its name in the folder and in the folders directly below it (MIMIC-IV has hosp/ and icu/), in
either case, plain or packed with gzip, as PhysioNet gives it or as people unpack it. Headers are read in either case:
MIMIC-III writes them upper, its demo and MIMIC-IV lower. The version is what PATIENTS says: `dob` is MIMIC-III,
`anchor_age` is MIMIC-IV. No message shows a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort.datasets.csv_stream import AGAIN, ask, read_header
from synthcohort.datasets.table import TableError

HOME = "https://physionet.org/content"
REMEDY = (
    f"PhysioNet gives the files to credentialed persons who signed the data use agreement: {HOME}/mimiciii/ and "
    f"{HOME}/mimiciv/; put them there as they come, packed or not"
)


@dataclass(frozen=True)
class Mimic:
    """A folder of MIMIC files.

    Args:
        folder: where they are.
        version: 3 or 4.
    """

    folder: Path
    version: int

    @property
    def stay(self) -> str:
        """The column that identifies a stay in intensive care."""
        return "icustay_id" if self.version == 3 else "stay_id"

    def path(self, name: str) -> Path:
        """Return the file called `name`, such as ADMISSIONS.

        Raises:
            TableError: if there is none, or more than one.
        """
        return locate(self.folder, name)

    def table(self, name: str, columns: Sequence[str], *, key: Sequence[str] = ()) -> pd.DataFrame:
        """Return those columns of a table, as text, in that order; for tables that fit into memory.

        Args:
            name: such as ADMISSIONS.
            columns: their names in lower case.
            key: columns that no two rows may share; rows that leave one of them empty are not compared.

        Raises:
            TableError: if the file is missing, damaged, empty, of another layout, or its key is repeated.
        """
        path = self.path(name)
        header = read_header(path)
        absent = [column for column in columns if column not in header]
        if absent:
            raise wrong_version(path, absent, self.version)
        chosen = ", ".join(f"coalesce({column}, '') AS {column}" for column in columns)
        frame = ask(path, f"SELECT {chosen} FROM {{source}}", {}).frame.astype("str")
        _check(frame, path, list(key))
        return frame


def open_folder(folder: Path) -> Mimic:
    """Return the folder with the version of its files.

    Raises:
        TableError: if PATIENTS is missing or of no known version.
    """
    patients = locate(folder, "PATIENTS")
    header = read_header(patients)
    if "subject_id" in header and ("dob" in header) != ("anchor_age" in header):
        return Mimic(folder, 3 if "dob" in header else 4)
    raise TableError(
        f"{patients.name}: neither MIMIC-III, which has the columns subject_id and dob, nor MIMIC-IV, which has "
        f"subject_id and anchor_age; {REMEDY}"
    )


def find(folder: Path, name: str) -> Path | None:
    """Return the file called `name` in the folder or directly below it, or None.

    Raises:
        TableError: if there are several.
    """
    wanted = {f"{name}.csv".lower(), f"{name}.csv.gz".lower()}
    near = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    found = [path for place in near for path in sorted(place.iterdir()) if path.name.lower() in wanted]
    if len(found) > 1:
        shown = " and ".join(str(path.relative_to(folder)) for path in found)
        raise TableError(f"{folder}: {name} is there more than once, {shown}; leave one of them, the whole one")
    return found[0] if found else None


def locate(folder: Path, name: str) -> Path:
    """Return the file called `name`, which must be there."""
    path = find(folder, name)
    if path is None:
        raise TableError(f"{folder}: no {name}.csv or {name}.csv.gz in it or in a folder directly below it; {REMEDY}")
    return path


def _check(frame: pd.DataFrame, path: Path, key: list[str]) -> None:
    """Refuse a table without rows, with identifiers that are none or are not of one row each."""
    if frame.empty:
        raise TableError(f"{path.name}: the header is followed by no row; {AGAIN}")
    for column in (name for name in frame if name.endswith("_id")):
        odd = int((~frame[column].str.fullmatch(r"[0-9]+")).sum())
        if odd:
            raise TableError(f"{path.name}: {odd} row(s) have a {column} that is not a whole number; {AGAIN}")
    complete = frame[(frame[key] != "").all(axis=1)] if key else frame[:0]
    repeated = int(complete.duplicated(key).sum()) if key else 0
    if repeated:
        raise TableError(
            f"{path.name}: {repeated} row(s) repeat the {' and '.join(key)} of an earlier one, which identifies a row; "
            f"was the file joined from pieces? If so, {AGAIN}"
        )


def damaged(path: Path, error: Exception) -> TableError:
    """Return what to say of a file that ends too soon or is altered; the error itself may show cells."""
    return TableError(f"{path.name}: truncated or damaged ({type(error).__name__}); {AGAIN}")


def wrong_version(path: Path, absent: Sequence[str], version: int) -> TableError:
    """Return what to say of a file that lacks columns."""
    named = {3: "MIMIC-III v1.4", 4: "MIMIC-IV v2 or v3"}[version]
    return TableError(
        f"{path.name}: no column {', '.join(absent)}, which {named} has; PATIENTS beside it is of that version: keep "
        f"the files of one version in one folder"
    )
