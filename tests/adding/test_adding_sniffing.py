"""Encoding, separator and names are told from the bytes, or asked for; never guessed in silence."""

from __future__ import annotations

import pytest
from adding_files import columns, save

from synthcohort.adding.sniffing import given_names, sniff
from synthcohort.datasets.table import TableError

ACCENTS = {"âge": "age", "décès": "died", "Größe": "marker", "ward": "ward"}


def accented() -> dict[str, list[str]]:
    found = columns()
    return {name: found[old] for name, old in ACCENTS.items()}


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("latin-1", "cp1252"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_told(tmp_path, encoding, told, separator):
    path = save(tmp_path / "t.csv", accented(), separator=separator, encoding=encoding)
    found = sniff(path)
    assert (found.encoding, found.separator, dict(found.names)) == (told, separator, {})


@pytest.mark.parametrize("encoding", ["cp1251", "gb18030", "shift_jis", "cp1256"])
def test_an_encoding_that_bytes_do_not_tell_is_asked_for(tmp_path, encoding):
    names = {"cp1251": "возраст", "gb18030": "年龄性别", "shift_jis": "年齢性別", "cp1256": "العمر"}
    path = save(tmp_path / "t.csv", {names[encoding]: columns()["age"], **columns()}, encoding=encoding)
    with pytest.raises(TableError, match=r"t\.csv: not UTF-8, and its encoding cannot be told; .*--encoding"):
        sniff(path)
    assert sniff(path, encoding=encoding).encoding == encoding


def test_a_decimal_comma_in_every_cell_and_in_the_header_is_no_separator(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("height, m;weight, kg\n" + "1,80;80,5\n" * 60)
    assert sniff(path).separator == ";"


def test_quoted_separators_and_line_breaks_do_not_count(tmp_path):
    table = {**columns(), "note": [f"first; line\nsecond; line {i}" for i in range(len(columns()["age"]))]}
    assert sniff(save(tmp_path / "t.csv", table)).separator == ","


def test_an_excel_note_on_the_separator_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("sep=;\na;b\n" + "1;2\n" * 60)
    with pytest.raises(TableError, match=r"line 1 is Excel's note on the separator.*delete the line"):
        sniff(path)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["a", "b"], {}),
        (["", "a", " "], {1: "column_1", 3: "column_3"}),
        (["a", "a", "a", "a_2"], {2: "a_3", 3: "a_4"}),
        (["a", " a", "A"], {}),
        (["", "column_1"], {1: "column_2"}),
    ],
)
def test_blank_and_repeated_names_get_one_of_their_own(header, names):
    assert given_names(header) == names
    assert len({names.get(i + 1, name) for i, name in enumerate(header)}) == len(header)


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_file_is_refused(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match="the file is empty; supply"):
        sniff(path)
    with pytest.raises(TableError, match="no such file"):
        sniff(tmp_path / "none.csv")
