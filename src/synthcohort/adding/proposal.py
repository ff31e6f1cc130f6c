"""Which block of params.yaml does this file ask for, and why, line by line?

The block is written as text, a reason behind every line, and then read back as the study will read it: what is shown is
what is checked. A column that alone tells the target is named with its figure and stands commented out under `drop`,
with its kind left to be inferred, so that taking one sign away leaves it out. Nothing here writes a file.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from synthcohort.adding import leakage, words
from synthcohort.adding.block import as_text, entries, listed, scalar
from synthcohort.adding.columns import Verdict, decimal_sign, judge, judge_target
from synthcohort.adding.evidence import SMALL
from synthcohort.adding.sniffing import Reading, sniff
from synthcohort.datasets import csv_table
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.csv_grid import read_grid
from synthcohort.datasets.table import NUMBER, Table, TableError
from synthcohort.rng import Rng
from synthcohort.study import NAME, DatasetBlock, Study


@dataclass(frozen=True)
class Proposal:
    """A block for params.yaml.

    Args:
        name: the table's name there.
        lines: its lines, indented as below `datasets`.
        block: what they say.
        table: the table as the study will read it.
    """

    name: str
    lines: tuple[str, ...]
    block: DatasetBlock
    table: Table


@dataclass(frozen=True)
class Seen:
    """What was found in a file.

    Args:
        path: the file.
        place: how params.yaml names it.
        reading: how it is read.
        decimal: its decimal sign and the reason for a comma.
        shape: its rows and columns.
        missing: text -> in how many cells it stands for "missing".
        target: the verdict on the target.
        positive: the positive level of a binary target and its share of the rows; None for another task.
        untold: rows without a target.
        columns: the verdicts on the features, in the file's order.
    """

    path: Path
    place: str
    reading: Reading
    decimal: tuple[str, str]
    shape: tuple[int, int]
    missing: dict[str, int]
    target: Verdict
    positive: tuple[str, float] | None
    untold: int
    columns: tuple[Verdict, ...]


def propose(study: Study, path: Path, *, target: str, name: str = "", reading: Reading | None = None) -> Proposal:
    """Return the block that makes the CSV at `path` a table of the study.

    Args:
        target: the column to predict.
        name: what the table is to be called; default: from the file's name.
        reading: how the file is read; default: as its bytes tell.

    Raises:
        TableError: if the file cannot be used as it is, the target is not there, or the name is taken.
    """
    name = _free_name(study, name or default_name(path), path)
    seen = inspect(path, target, reading or sniff(path), place=_place(study, path))
    block, table = _read(seen, name, _lines(seen, name, {}, ""))
    suspects = leakage.suspects(table.frame, table.schema, Rng(study.params.study.seed, ("leakage", name)))
    lines = _lines(seen, name, suspects, leakage.measure(table.schema))
    block, table = _read(seen, name, lines)
    return Proposal(name, tuple(lines), block, table)


def default_name(path: Path) -> str:
    """Return a name for the table from its file's, "my_table" if that has no plain letter."""
    plain = unicodedata.normalize("NFKD", path.stem.casefold()).encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", "_", plain).strip("_").lstrip("0123456789_")
    return found or "my_table"


def inspect(path: Path, target: str, reading: Reading, *, place: str) -> Seen:
    """Return what is found in the file.

    Raises:
        TableError: if it cannot be read, has no such target, or too few rows.
    """
    grid = read_grid(path, reading.separator, encoding=reading.encoding, names=reading.names)
    if target not in grid.cells.columns:
        raise TableError(_no_target(path, target, list(grid.cells.columns)))
    csv_table.check_rows(path, len(grid.cells))
    flat = pd.Series(grid.cells.to_numpy().ravel()).value_counts()
    missing = {str(text): int(n) for text, n in flat.items() if words.is_missing(str(text))}
    cells = grid.cells.replace(list(missing), "")
    decimal = decimal_sign(cells)
    asked = judge_target(target, cells[target], decimal[0])
    told = cells[~cells[target].isin(["", *asked.codes])]
    return Seen(
        path=path,
        place=place,
        reading=reading,
        decimal=decimal,
        shape=grid.cells.shape,
        missing=missing,
        target=asked,
        positive=_positive(told[target], asked),
        untold=len(cells) - len(told),
        columns=tuple(judge(c, told[c], decimal[0]) for c in cells.columns if c != target),
    )


def _no_target(path: Path, target: str, columns: list[str]) -> str:
    """Return the message, with the nearest name; numbers are no names but cells of a file without a header."""
    close = difflib.get_close_matches(target, columns, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    cells = any(NUMBER.match(column.strip()) for column in columns)
    told = "numbers in its first line: is the header missing?" if cells else f"{columns[:30]}"
    return f"{path}: --target: no column {target!r}; {hint}The file has {told}"


def _positive(told: pd.Series, asked: Verdict) -> tuple[str, float] | None:
    counts = told.value_counts()
    if asked.kind == "numeric" or len(counts) != 2:
        return None
    rarer = max(counts[counts == counts.min()].index)
    return str(rarer), counts[rarer] / len(told)


def _free_name(study: Study, name: str, path: Path) -> str:
    if not NAME.match(name):
        raise TableError(
            f"--name {name!r}: a table's name is lower case letters, digits and _, beginning with a letter"
        )
    own = Path(csv_table.__file__).with_name(f"{name}.py")
    if name in study.params.datasets or name in CATALOGUE or own.is_file():
        where = "params.yaml has it already" if name in study.params.datasets else "the study's own tables have it"
        raise TableError(f"{path}: the name {name!r} is taken: {where}; give another with --name")
    return name


def _place(study: Study, path: Path) -> str:
    whole = path.expanduser().resolve()
    for folder, shown in ((study.paths.root.resolve(), ""), (Path.home(), "~/")):
        if whole.is_relative_to(folder):
            return shown + whole.relative_to(folder).as_posix()
    return whole.as_posix()


def _read(seen: Seen, name: str, lines: list[str]) -> tuple[DatasetBlock, Table]:
    """Return what the lines say, and the table that reading the file so gives."""
    block = DatasetBlock.model_validate(yaml.safe_load("\n".join(lines))[name])
    return block, csv_table.read(seen.path, name, block)


def _lines(seen: Seen, name: str, suspects: dict[str, float], measure: str) -> list[str]:
    """Return the block's lines; the kinds of suspects are left to be inferred."""
    kept = [v for v in seen.columns if v.kind is not None]
    sure = [v for v in kept if v.name not in suspects]
    return [
        f"  {name}:  # proposed by `synthcohort add` from the cells alone: every line is for you to check",
        *_file(seen),
        *_target(seen),
        scalar(
            "restricted", True, "no cell of it appears in a page, a log or a figure; false if its rows may be shown"
        ),
        *_holes(seen, kept),
        *_left_out(seen, suspects, measure),
        *_groups(sure),
        *entries("kinds", {v.name: (v.kind, v.why) for v in [seen.target, *sure]}),
        *entries("levels", {v.name: (list(v.levels), "in order of a known scale") for v in kept if v.levels}),
        *entries("bounds", _bounds(kept)),
    ]


def _file(seen: Seen) -> list[str]:
    rows, columns = seen.shape
    reading = seen.reading
    found = [scalar("path", seen.place, f"{rows:,} rows, {columns} columns; copied into data/, never committed")]
    if reading.separator != ",":
        found.append(scalar("separator", reading.separator, reading.why["separator"]))
    if reading.encoding != "utf-8":
        found.append(scalar("encoding", reading.encoding, reading.why["encoding"]))
    if seen.decimal[0] == ",":
        found.append(scalar("decimal", ",", seen.decimal[1]))
    why = "the header is blank or stands there before; call it as you like, here and below"
    return found + entries("names", {number: (given, why) for number, given in reading.names.items()})


def _target(seen: Seen) -> list[str]:
    found = [scalar("target", seen.target.name, seen.target.why)]
    if seen.positive is not None:
        level, share = seen.positive
        found.append(scalar("positive", level, f"the rarer of the two: {100 * share:.1f} % of rows"))
    if seen.untold:
        shown = f"{seen.untold:,}" if seen.untold >= SMALL else f"fewer than {SMALL}"
        found.append(scalar("drop_rows_without_target", True, f"{shown} rows have none, and none is ever imputed"))
    return found


def _holes(seen: Seen, kept: list[Verdict]) -> list[str]:
    texts = listed("missing", dict.fromkeys(seen.missing, "says that nothing is known"))
    coded = {
        v.name: (list(v.codes), "; ".join(dict.fromkeys(v.codes.values()))) for v in [seen.target, *kept] if v.codes
    }
    return texts + entries("missing_codes", coded)


def _left_out(seen: Seen, suspects: dict[str, float], measure: str) -> list[str]:
    out = {v.name: v.why for v in seen.columns if v.kind is None}
    hints = [
        f"    # group: {as_text(v.name)}  # if it numbers patients with several rows: in place of its line above"
        for v in seen.columns
        if v.groups
    ]
    leaks = [
        f"      # - {as_text(name)}  # alone tells the target, {measure} {score:.3f} cross-validated; drop it unless "
        "it is known before the target"
        for name, score in suspects.items()
    ]
    head = [] if out or not leaks else ["    # drop:"]
    return [*listed("drop", out), *head, *leaks, *hints]


def _groups(sure: list[Verdict]) -> list[str]:
    named = [v for v in sure if v.sensitive]
    fit = {v.name: "by its name: groups that must be served alike" for v in named if v.kind == "categorical" and v.few}
    rest = [
        f"    # {as_text(v.name)} is sensitive by its name too; bin it in the file to set it"
        for v in named
        if v.name not in fit
    ]
    return [*listed("sensitive", fit), *rest]


def _bounds(kept: list[Verdict]) -> dict[str, tuple[list[float | None], str]]:
    why = "round numbers around all cells, open where few come near; a cell outside is refused"
    return {v.name: ([_shortest(b) for b in v.bounds], why) for v in kept if v.bounds != (None, None)}


def _shortest(bound: float | None) -> float | None:
    return int(bound) if bound is not None and bound % 1 == 0 else bound
