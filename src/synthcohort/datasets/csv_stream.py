"""How is a CSV file of any size, packed or not, asked a question in one pass and little memory?

A thread unpacks the file and writes its bytes into a pipe; DuckDB reads the other end and answers while they pass.
What goes through the pipe is counted, which gives progress and rate, and unpacking checks the length and the checksum
that gzip keeps, so a truncated file is an error and not a shorter table. A line with another number of cells than the
header is an error too. DuckDB runs on one thread, so that sums are the same bits on every run. No message shows a cell.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import tempfile
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
from tqdm import tqdm

from synthcohort.datasets.table import TableError

MEMORY_GB = 2.0
AGAIN = "get it again from its publisher and compare it with the checksums beside it (SHA256SUMS.txt)"
_DAMAGED = (EOFError, OSError, zlib.error, UnicodeDecodeError)
_BLOCK = 1 << 20  # bytes; also the longest line that is read


@dataclass(frozen=True)
class Answer:
    """What a question to a file gave.

    Args:
        frame: the rows of the answer.
        rows: how many lines were read below the header.
        seconds: how long that took.
    """

    frame: pd.DataFrame
    rows: int
    seconds: float

    @property
    def rate(self) -> str:
        """Rows and rows a second, in words."""
        return f"{self.rows:,} rows in {self.seconds:,.0f} s, {self.rows / self.seconds:,.0f} rows/s"


def read_header(path: Path) -> list[str]:
    """Return the names of a file's columns in lower case.

    Raises:
        TableError: if the file is damaged or empty.
    """
    try:
        with _unpacked(path) as stream:
            line = stream.readline().decode("utf-8-sig").strip()
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    if not line:
        raise TableError(f"{path.name}: the file is empty; {AGAIN}")
    return [name.strip().lower() for name in next(csv.reader([line]))]


def ask(path: Path, query: str, tables: Mapping[str, pd.DataFrame], *, memory_gb: float = MEMORY_GB) -> Answer:
    """Return the answer to a query in SQL.

    Args:
        path: a comma-separated file with a header, plain or packed with gzip (then its name ends in .gz).
        query: in it, {source} stands for the file: a table of text with the header's names in lower case, NULL where a
            cell is empty; it may be named once.
        tables: further tables of the query by name.
        memory_gb: what DuckDB may use; beyond it, it spills to a temporary folder.

    Raises:
        TableError: if the file is damaged, or a row of it cannot be read as the query asks.
    """
    pipe = _Pipe(path)
    columns = dict.fromkeys(read_header(path), "VARCHAR")
    source = (
        f"read_csv('{pipe.place}', auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', "
        f"max_line_size = {_BLOCK}, buffer_size = {4 * _BLOCK}, columns = {columns})"
    )
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as spill:
        connection = duckdb.connect()
        connection.execute(f"SET threads = 1; SET memory_limit = '{memory_gb}GB'; SET temp_directory = '{spill}'")
        for name, table in tables.items():
            connection.register(name, table)
        frame = pipe.answer(connection, query.format(source=source))
    return Answer(frame, pipe.rows, time.perf_counter() - started)


class _Pipe:
    """The bytes of a file below its header, on their way to DuckDB."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self._out, self._into = os.pipe()
        self._fault: Exception | None = None

    @property
    def place(self) -> str:
        """Where the bytes can be read, once."""
        return f"/dev/fd/{self._out}"

    def answer(self, connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
        """Return the result of a query that reads the pipe; closes the connection."""
        thread = threading.Thread(target=self._fill)
        thread.start()
        refused = None
        try:
            found = connection.execute(query).df()
        except duckdb.Error as error:
            refused = error
        finally:
            connection.close()
            os.close(self._out)  # with no reader left the thread ends, wherever it is
            thread.join()
        if self._fault is not None:
            raise _damaged(self.path, self._fault) from None
        if refused is not None:
            raise _unreadable(self.path, refused) from None
        return found

    def _fill(self) -> None:
        shown = tqdm(desc=self.path.name, unit=" rows", unit_scale=True, mininterval=1.0, delay=1.0)
        try:
            with shown, os.fdopen(self._into, "wb") as pipe, _unpacked(self.path) as stream:
                stream.readline()
                last = b"\n"
                while block := stream.read(_BLOCK):
                    pipe.write(block)
                    lines, last = block.count(b"\n"), block[-1:]
                    self.rows += lines
                    shown.update(lines)
                self.rows += last != b"\n"
        except BrokenPipeError:
            pass  # the query has ended, and says itself why
        except _DAMAGED as error:
            self._fault = error


def _unpacked(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def _damaged(path: Path, error: Exception) -> TableError:
    """Return what to say of a file that ends too soon or is altered; the error itself may show cells."""
    return TableError(f"{path.name}: truncated or damaged ({type(error).__name__}); {AGAIN}")


def _unreadable(path: Path, error: duckdb.Error) -> TableError:
    """Return where a row breaks the layout; DuckDB's own words would show its cells."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return TableError(f"{path.name}: DuckDB needs more memory than it may use, or a larger temporary folder")
    line = re.search(r"CSV Error on Line: (\d+)", str(error))
    where = f"row {int(line[1]):,} below the header" if line else "a row"
    return TableError(
        f"{path.name}: {where} cannot be read (another number of cells than the header, an open quote, or a time or a "
        f"number that is none); {AGAIN}"
    )
