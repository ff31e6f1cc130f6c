"""Does a file of any size come through the pipe whole, counted, and in bounded memory?"""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from synthcohort.datasets.csv_stream import ask, read_header
from synthcohort.datasets.table import TableError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "EVENTS.csv"


def test_text_comes_through_as_it_is(path: Path) -> None:
    path.write_text('\ufeff"ID","Words"\n1,"a, ""b""\nc"\n2,\n3,""\n4,naïve', encoding="utf-8")
    answer = ask(path, "SELECT id, words FROM {source}", {})
    assert read_header(path) == ["id", "words"]
    assert answer.frame["words"].fillna("NULL").tolist() == ['a, "b"\nc', "NULL", "NULL", "naïve"]
    assert answer.frame["id"].tolist() == ["1", "2", "3", "4"]


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_rows_are_counted_and_joined(path: Path, end: str, packed: bool) -> None:
    content = ("ID,V\n" + "\n".join(f"{i % 5},{i}" for i in range(20_000)) + end).encode()
    if packed:
        path = path.with_name("EVENTS.csv.gz")
        path.write_bytes(gzip.compress(content[:50_000]) + gzip.compress(content[50_000:]))  # two members
    else:
        path.write_bytes(content)
    wanted = pd.DataFrame({"id": ["1", "4"], "name": ["one", "four"]})
    query = "SELECT name, sum(CAST(v AS BIGINT)) AS s FROM {source} JOIN wanted USING (id) GROUP BY name ORDER BY s"
    answer = ask(path, query, {"wanted": wanted})
    assert answer.rows == 20_000 and answer.rate.startswith("20,000 rows in ")
    assert answer.frame.values.tolist() == [["one", sum(range(1, 20_000, 5))], ["four", sum(range(4, 20_000, 5))]]


def test_memory_is_smaller_than_the_file(path: Path) -> None:
    """36 MB pass through 24 MB."""
    line = "123456,38352,38352,1082,2150-01-04 03:43:56,2150-01-02 00:00:00,20000,112,112,mmHg,0,0\n"
    header = ",".join(f"c{k}" for k in range(line.count(",") + 1)) + "\n"
    path.write_text(header + line * 420_000)
    assert path.stat().st_size > 36e6
    answer = ask(path, "SELECT c3, count(*) AS n, max(c7) AS v FROM {source} GROUP BY c3", {}, memory_gb=0.024)
    assert answer.frame.values.tolist() == [["1082", 420_000, "112"]] and answer.rows == 420_000


def test_what_needs_more_memory_says_so(path: Path) -> None:
    path.write_text("id\n" + "\n".join(map(str, range(300_000))) + "\n")
    with pytest.raises(TableError, match=r"^EVENTS\.csv: DuckDB needs more memory than it may use"):
        ask(path, "SELECT id, count(*) FROM {source} GROUP BY id", {}, memory_gb=0.002)


@pytest.mark.parametrize("row", ["7", "7,8,9", '7,"open'])
def test_a_row_of_another_layout_is_named_and_not_shown(path: Path, row: str) -> None:
    path.write_text("id,v\n1,2\n3,4\n" + row + "\n5,6\n")
    with pytest.raises(TableError, match=r"EVENTS\.csv: row 3 below the header cannot be read") as caught:
        ask(path, "SELECT v FROM {source}", {})
    assert "open" not in str(caught.value).replace("an open quote", "") and caught.value.__cause__ is None


def test_a_cell_that_is_no_number_is_not_shown(path: Path) -> None:
    path.write_text("id,v\n1,2\n3,secret\n")
    with pytest.raises(TableError, match=r"EVENTS\.csv: a row cannot be read") as caught:
        ask(path, "SELECT sum(CAST(v AS DOUBLE)) FROM {source}", {})
    assert "secret" not in str(caught.value) and caught.value.__suppress_context__


@pytest.mark.parametrize("size", [0, 1, 12, 200_000])
def test_a_packed_file_cut_anywhere_is_damaged(path: Path, size: int) -> None:
    content = gzip.compress(("id,v\n" + "".join(f"{i},{i * 7919 % 1009}\n" for i in range(100_000))).encode())
    path = path.with_name("EVENTS.csv.gz")
    path.write_bytes(content[: min(size, len(content) - 1)])
    with pytest.raises(TableError, match=r"EVENTS.csv.gz: (truncated or damaged|the file is empty)"):
        ask(path, "SELECT count(*) FROM {source}", {})
