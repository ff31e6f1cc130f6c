"""Is this file a table of text at all?

Reads the raw bytes of a reader's CSV into a header and rows of text, and refuses, with the remedy, whatever a lenient
parser would repair in silence: bytes of another encoding, repeated or empty column names, rows of another width, a
delimiter that was not meant. Nothing is interpreted here, and nothing is written.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort.datasets.table import TableError

DELIMITERS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}


@dataclass(frozen=True)
class Grid:
    """The text of a CSV.

    Args:
        path: the file, for messages.
        cells: [n, columns] frame of text without surrounding blanks, in the file's order; "" is the empty cell.
        lines: [n] line of the file on which each row ends, counted from 1.
    """

    path: Path
    cells: pd.DataFrame
    lines: list[int]


def read_grid(path: Path, separator: str, *, encoding: str = "utf-8", names: Mapping[int, str] | None = None) -> Grid:
    """Return the text of the CSV at `path`.

    Args:
        separator: the one character between cells.
        encoding: the file's, by a name that Python knows.
        names: number of a column, from 1 -> the name it gets in place of that in the header.

    Raises:
        TableError: if the file is absent, empty, wrongly encoded, without rows, or its header or widths are unsound.
    """
    if len(separator) != 1 or separator in '"\r\n':
        raise TableError(f"{path}: separator {separator!r} is not one character; use one of {_spelled()}")
    text = decode(path, encoding)
    header, rows, lines = _split(path, text, separator)
    _check_returns(path, [header, *rows], [1, *lines])
    header = _named(path, header, names or {})
    _check_header(path, header, separator, text)
    _check_widths(path, header, rows, lines)
    if not rows:
        raise TableError(f"{path}: the file has a header but no rows; supply the file with its rows")
    columns = [[cell.strip() for cell in column] for column in zip(*rows)]
    return Grid(path, pd.DataFrame(dict(zip(header, columns)), dtype="object"), lines)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        TableError: if the file is absent or empty.
    """
    if not path.is_file():
        raise TableError(f"{path}: no such file; set the key path to where the CSV is")
    raw = path.read_bytes()
    if not raw.strip():
        raise TableError(f"{path}: the file is empty; supply the file with its header and rows")
    return raw


def decode(path: Path, encoding: str) -> str:
    """Return the text of a file, without its byte order mark.

    Raises:
        TableError: if the file is absent, empty, or not in that encoding.
    """
    raw = read_bytes(path)
    try:
        text = raw.decode("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding).removeprefix("\ufeff")
    except LookupError:
        raise TableError(f"{path}: encoding: no encoding {encoding!r}; such are utf-8, cp1252, utf-16") from None
    except UnicodeDecodeError as error:
        raise TableError(_foreign_byte(path, raw, encoding, error)) from None
    if "\x00" in text:
        raise TableError(f"{path}: a zero byte stands at character {text.index(chr(0))}; save the file as UTF-8 text")
    return text


def _foreign_byte(path: Path, raw: bytes, encoding: str, error: UnicodeDecodeError) -> str:
    if codecs.lookup(encoding).name != "utf-8":
        return f"{path}: not {encoding}: {error.reason} at byte {error.start}; set encoding to the file's own"
    offset = error.start + (3 if raw.startswith(b"\xef\xbb\xbf") else 0)
    line = raw.count(b"\n", 0, offset) + 1
    return (
        f"{path}: not UTF-8: byte {offset} (line {line}) is 0x{raw[offset]:02x}; set encoding, for example to cp1252, "
        f"or save the file as UTF-8, for example with iconv -f latin1 -t utf-8"
    )


def _named(path: Path, header: list[str], names: Mapping[int, str]) -> list[str]:
    outside = [number for number in names if not 1 <= number <= len(header)]
    if outside:
        raise TableError(f"{path}: names: there is no column {outside[0]}; the file has columns 1 to {len(header)}")
    return [names.get(i + 1, name) for i, name in enumerate(header)]


def _split(path: Path, text: str, separator: str) -> tuple[list[str], list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise TableError(
            f"{path}: line {reader.line_num} is not sound CSV ({error}); check its quotation marks"
        ) from None
    if not rows:
        raise TableError(f"{path}: the file is empty; supply the file with its header and rows")
    return rows[0], rows[1:], lines[1:]


def _check_returns(path: Path, rows: list[list[str]], lines: list[int]) -> None:
    """Refuse a carriage return without a line feed inside a cell: no later stage could write it and read it back."""
    for row, line in zip(rows, lines):
        if any("\r" in cell and "\n" not in cell for cell in row):
            raise TableError(f"{path}: line {line}: a lone carriage return inside a cell; write a blank in its place")


def _check_header(path: Path, header: list[str], separator: str, text: str) -> None:
    if len(header) == 1:
        raise TableError(_one_column(path, header[0], separator, text))
    empty = [i + 1 for i, name in enumerate(header) if not name.strip()]
    if empty:
        raise TableError(
            f"{path}: column {empty[0]} has an empty name in the header; name it there or under names, or remove "
            f"it: an unnamed first column is often a saved row index"
        )
    repeated = [name for i, name in enumerate(header) if name in header[:i]]
    if repeated:
        where = [i + 1 for i, name in enumerate(header) if name == repeated[0]]
        raise TableError(
            f"{path}: column name {repeated[0]!r} is used by columns {where}; rename all but one, there or under names"
        )


def _one_column(path: Path, name: str, separator: str, text: str) -> str:
    first = text.splitlines()[0]
    counts = {d: len(next(csv.reader([first], delimiter=d))) for d in DELIMITERS if d != separator}
    best = max(counts, key=lambda d: counts[d])
    if counts[best] > 1:
        return (
            f"{path}: wrong delimiter: {DELIMITERS.get(separator, repr(separator))} gives one column, "
            f"{DELIMITERS[best]} gives {counts[best]}; set separator: {DELIMITERS[best].replace(chr(39), chr(34))}"
        )
    return f"{path}: the only column is {name!r}; a table needs a target and at least one other column"


def _check_widths(path: Path, header: list[str], rows: list[list[str]], lines: list[int]) -> None:
    odd = [i for i, row in enumerate(rows) if len(row) != len(header)]
    if odd:
        first = odd[0]
        raise TableError(
            f"{path}: line {lines[first]} has {len(rows[first])} cells where the header has {len(header)} "
            f"({len(odd)} such row(s)); check for unquoted separators inside cells, or another separator"
        )


def _spelled() -> str:
    return ", ".join(DELIMITERS.values())
