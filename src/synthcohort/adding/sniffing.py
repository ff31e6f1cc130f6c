"""How is this file to be read: in which encoding, with which separator, under which column names?

Encodings, from the surest sign on: a byte order mark; zero bytes in every other place, as UTF-16 has for plain letters;
sound UTF-8; cp1252, which holds Latin-1's letters, if the letters outside ASCII stand nearly alone among
plain ones, as in French or German. Any other file is refused with the question which it is: a wrong guess among the
encodings of one byte a letter raises no error and spoils every name.

The separator is the one that gives every row the header's width, asked in the order tab, semicolon, bar, comma: a comma
may stand in every row as decimal sign, the others hardly by chance. The standard library's `csv.Sniffer` counts
characters instead, and takes the decimal comma.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthcohort.datasets.csv_grid import decode, read_bytes
from synthcohort.datasets.table import TableError

SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma"}
_ROWS = 2000  # looked at for the separator; reading the file checks them all
_LONGEST_RUN = 1.5  # letters outside ASCII in a row, on average, that cp1252 is believed with
_FOREIGN = re.compile(r"[^\W\d_\x00-\x7f]+")


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Args:
        separator: the one character between cells.
        encoding: by Python's name.
        names: number of a column, from 1 -> the name it is given, where the header has none or the same twice.
        why: "encoding", "separator" -> the reason.
    """

    separator: str
    encoding: str
    names: Mapping[int, str]
    why: Mapping[str, str] = field(default_factory=dict)


def sniff(path: Path, *, encoding: str = "", separator: str = "") -> Reading:
    """Return how the file at `path` is read.

    Args:
        encoding: if the caller knows it.
        separator: if the caller knows it.

    Raises:
        TableError: if the file is absent or empty, or its encoding cannot be told.
    """
    encoding, sign = (encoding, "as asked") if encoding else _encoding(path, read_bytes(path))
    text = decode(path, encoding)
    if text[:4].lower() == "sep=":
        raise TableError(f"{path}: line 1 is Excel's note on the separator, no header; delete the line")
    separator, count = (separator, "as asked") if separator else _separator(text)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    return Reading(separator, encoding, given_names(header), {"encoding": sign, "separator": count})


def given_names(header: list[str]) -> dict[int, str]:
    """Return number of a column, from 1 -> a name of its own, for headers that are blank or stand there before."""
    taken = {name for name in header if name.strip()}
    seen: set[str] = set()
    found = {}
    for number, name in enumerate(header, start=1):
        if name.strip() and name not in seen:
            seen.add(name)
            continue
        stem = name if name.strip() else "column"
        tries = (f"{stem}_{k}" for k in itertools.count(number if stem == "column" else 2))
        found[number] = next(t for t in tries if t not in taken)
        taken.add(found[number])
    return found


def _encoding(path: Path, raw: bytes) -> tuple[str, str]:
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if raw.startswith(mark):
            return name, "its byte order mark"
    if b"\x00" in raw:
        odd = raw[1::2].count(0) >= raw[::2].count(0)
        return ("utf-16-le" if odd else "utf-16-be"), "a zero byte beside every plain letter"
    if _decodes(raw, "utf-8"):
        return "utf-8", "every byte is sound UTF-8"
    if _decodes(raw, "cp1252"):
        runs = _FOREIGN.findall(raw.decode("cp1252"))
        if len("".join(runs)) <= _LONGEST_RUN * len(runs):
            return "cp1252", "not UTF-8; accents among plain letters: look at them on the page"
    raise TableError(
        f"{path}: not UTF-8, and its encoding cannot be told; name it, for example --encoding cp1251, cp1256, gb18030, "
        f"big5 or shift_jis"
    )


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _separator(text: str) -> tuple[str, str]:
    """Return the separator and why; where none gives rows of one width, the one that comes nearest."""
    shares = {}
    for mark in SEPARATORS:
        widths = _widths(text, mark)
        if widths[0] > 1:
            shares[mark] = sum(width == widths[0] for width in widths) / len(widths)
    best = max(shares, key=lambda mark: shares[mark], default=",")
    return best, f"{SEPARATORS[best]}: every row has the header's width"


def _widths(text: str, separator: str) -> list[int]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [len(row) for row in itertools.islice(reader, _ROWS) if row] or [0]
    except csv.Error:
        return [0]
