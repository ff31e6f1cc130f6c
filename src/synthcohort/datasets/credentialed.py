"""How does a table get here whose files are given to credentialed persons only?

Nothing is downloaded. The files stay where the reader put them, in the folder that `path` of the table's block in
params.yaml names; `synthcohort data` draws the cohort from them and leaves under data/<table>/ only that: one CSV
file of text cells and a receipt. Large event tables are therefore read once, and never enter the study's folder or
DVC's cache. The receipt holds a stamp of the files (name, size, time of change) and of the program that read them:
while it is true the cohort is not drawn again.

A module of such a table has `sources(folder) -> files read`, `extract(folder) -> Extract` and, as all have,
`read(folder) -> Table`.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd

from synthcohort import sources
from synthcohort.datasets.entry import Entry
from synthcohort.datasets.table import TableError
from synthcohort.schema import write_frame

WITHHELD = "its files are given to credentialed persons only"
COHORT = "cohort.csv"
RECEIPT = "receipt.json"


@dataclass(frozen=True)
class Extract:
    """What was drawn from the files of a credentialed table.

    Args:
        cells: n rows of text, "" where nothing was recorded; no identifier, no date.
        remarks: what a reader must know of this very draw, for the table's card.
    """

    cells: pd.DataFrame
    remarks: tuple[str, ...] = ()


def draw(name: str, source: Path, folder: Path) -> bool:
    """Draw the cohort of table `name` from its files in `source` into `folder`; False if it is there already.

    Raises:
        TableError: if a file is missing, damaged or of another layout; then `folder` is as it was.
    """
    if not source.is_dir():
        kept = f"; to keep the cohort drawn earlier, remove the key {name}.path" if drawn(folder) else ""
        raise TableError(f"datasets.{name}.path: no folder {source}; name the folder that holds the files{kept}")
    module = importlib.import_module(f"synthcohort.datasets.{name}")
    stamp = _stamp(module, source)
    if drawn(folder) and json.loads((folder / RECEIPT).read_text(encoding="utf-8"))["stamp"] == stamp:
        return False
    found: Extract = module.extract(source)
    receipt = {"dataset": name, "stamp": stamp, "remarks": found.remarks}
    folder.mkdir(parents=True, exist_ok=True)
    cohort, record = (folder / (file + ".partial") for file in (COHORT, RECEIPT))
    write_frame(found.cells, cohort)
    record.write_text(json.dumps(receipt, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / RECEIPT).unlink(missing_ok=True)  # a cohort without a receipt is none: a kill in between leaves no lie
    cohort.replace(folder / COHORT)
    record.replace(folder / RECEIPT)
    return True


def remedy(entry: Entry) -> str:
    """Return what to do about a table that was never drawn and whose block names no folder."""
    return (
        f"If you are one, get them from {entry.homepage}, keep them anywhere but in the study's folder, and name that "
        f"folder in params.yaml: {entry.name}: {{path: FOLDER}}; then run `synthcohort data`"
    )


def drawn(folder: Path) -> bool:
    """Return whether a whole cohort is in `folder`."""
    return (folder / COHORT).is_file() and (folder / RECEIPT).is_file()


def read(folder: Path) -> Extract:
    """Return the cohort in `folder`.

    Raises:
        TableError: if there is none.
    """
    if not drawn(folder):
        raise TableError(f"{'/'.join(folder.parts[-2:])}: no cohort was drawn yet; run `synthcohort data`")
    receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    # a line of a single empty cell is a blank line, which pandas would skip
    cells = pd.read_csv(folder / COHORT, dtype="str", keep_default_na=False, skip_blank_lines=False)
    return Extract(cells, tuple(receipt["remarks"]))


def _stamp(module: ModuleType, source: Path) -> str:
    program = sources.listing(sources.Plan(Path(str(module.__file__))))
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in module.sources(source)]
    return hashlib.sha256(json.dumps([program, files]).encode()).hexdigest()
