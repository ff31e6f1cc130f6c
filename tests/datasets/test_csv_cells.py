"""What a block says of single cells of a reader's CSV is obeyed or refused with the place, never repaired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcohort.datasets import csv_table, load
from synthcohort.datasets.table import TableError
from synthcohort.study import DatasetBlock

N = 60


def columns() -> dict[str, list[str]]:
    return {
        "dose": [f"{i / 4:.2f}" for i in range(N)],
        "pain": [["low", "medium", "high"][i % 3] for i in range(N)],
        "died": [["0", "1"][i % 4 == 0] for i in range(N)],
    }


def read(tmp_path: Path, cells: dict[str, list[str]], saved_as: str = "utf-8", **settings: Any):
    path = tmp_path / "cohort.csv"
    lines = [";".join(cells), *(";".join(row) for row in zip(*cells.values()))]
    path.write_bytes(("\n".join(lines) + "\n").encode(saved_as))
    block = DatasetBlock(**{"path": str(path), "separator": ";", "target": "died", "positive": "1", **settings})
    return csv_table.read(path, "cohort", block)


def test_a_decimal_comma_gives_the_numbers_a_point_would(tmp_path):
    with_point = read(tmp_path, columns())
    comma = {**columns(), "dose": [cell.replace(".", ",") for cell in columns()["dose"]]}
    with_comma = read(tmp_path, comma, decimal=",")
    assert with_comma.frame.equals(with_point.frame) and with_comma.schema == with_point.schema


def test_a_column_of_levels_keeps_its_commas(tmp_path):
    cells = {**columns(), "pain": ["1,5", "2,5", "3.5"] * (N // 3)}
    cells["dose"] = [cell.replace(".", ",") for cell in cells["dose"]]
    table = read(tmp_path, cells, decimal=",", kinds={"pain": "categorical"})
    assert set(table.schema["pain"].levels) == {"1,5", "2,5", "3.5"}
    with pytest.raises(TableError, match=r"column 'pain', row 3 \(line 4\) \('3\.5'\): a number with a point"):
        read(tmp_path, cells, decimal=",")


def test_a_code_is_missing_in_its_own_column_only(tmp_path):
    cells = columns()
    cells["dose"][2] = cells["pain"][3] = "-9"
    table = read(tmp_path, cells, missing_codes={"dose": ["-9"]})
    assert np.isnan(table.frame["dose"][2]) and table.frame["pain"][3] == "-9"


def test_a_number_outside_its_bounds_is_refused_with_its_row(tmp_path):
    bounded = read(tmp_path, columns(), bounds={"dose": [0, 14.75]})
    assert bounded.schema == read(tmp_path, columns()).schema  # bounds are a check, they change nothing
    with pytest.raises(
        TableError, match=r"'dose', row 42 \(line 43\) \('10\.25'\): 19 cell\(s\) are above the bound 10"
    ):
        read(tmp_path, columns(), bounds={"dose": [None, 10]})
    with pytest.raises(
        TableError, match=r"row 1 \(line 2\): fewer than 11 cell\(s\) are below the bound 1\.0; .*missing_codes"
    ):
        read(tmp_path, columns(), bounds={"dose": [1, None]}, restricted=True)


def test_levels_come_in_the_stated_order_and_no_other_is_let_in(tmp_path):
    cells = columns()
    cells["pain"][0] = ""
    stated = read(tmp_path, cells, levels={"pain": ["low", "medium", "high", "unbearable"]})
    assert stated.schema["pain"].levels == ("low", "medium", "high", "missing")
    with pytest.raises(TableError, match=r"'pain', row 3 \(line 4\) \('high'\): 20 cell\(s\) are not among its levels"):
        read(tmp_path, cells, levels={"pain": ["low", "medium"]})


def test_rows_without_a_target_are_an_error_unless_they_are_left_out(tmp_path):
    cells = columns()
    cells["died"][5] = ""
    with pytest.raises(
        TableError, match=r"missing in 1 row\(s\), the first on line 7; remove .* drop_rows_without_target"
    ):
        read(tmp_path, cells)
    cells["dose"][8] = "text"
    with pytest.raises(TableError, match=r"the first in row 9 \(line 10\)"):  # rows are counted as in the file
        read(tmp_path, cells, drop_rows_without_target=True)
    cells["dose"][8] = "1.0"
    assert len(read(tmp_path, cells, drop_rows_without_target=True).frame) == N - 1


def test_columns_are_renamed_by_number(tmp_path):
    cells = {"": columns()["dose"], **columns()}
    table = read(tmp_path, cells, names={1: "Maß"})
    assert table.schema.names == ["Maß", "dose", "pain", "died"]
    with pytest.raises(TableError, match=r"names: there is no column 9; the file has columns 1 to 4"):
        read(tmp_path, cells, names={9: "x"})


def test_the_encoding_is_obeyed_or_refused(tmp_path):
    cells = {"naïve": columns()["dose"], **columns()}
    assert read(tmp_path, cells, "cp1252", encoding="cp1252").schema.names[0] == "naïve"
    assert read(tmp_path, cells, "utf-16", encoding="utf-16").schema.names[0] == "naïve"
    with pytest.raises(TableError, match=r"not UTF-8: byte 2 \(line 1\) is 0xef; set encoding, for example to cp1252"):
        read(tmp_path, cells, "cp1252")
    with pytest.raises(TableError, match="no encoding 'klingon'"):
        read(tmp_path, cells, encoding="klingon")
    with pytest.raises(TableError, match="not ascii: ordinal not in range"):
        read(tmp_path, cells, encoding="ascii")


@pytest.mark.parametrize("key", ["missing_codes", "bounds", "levels"])
def test_an_unknown_column_is_named_under_its_key(tmp_path, key):
    value = {"missing_codes": ["1"], "bounds": [0, 1], "levels": ["a"]}[key]
    with pytest.raises(TableError, match=rf"datasets\.cohort\.{key}: no column 'dosis'; did you mean 'dose'"):
        read(tmp_path, columns(), **{key: {"dosis": value}})


def test_the_new_keys_are_for_the_readers_own_file(tmp_path):
    with pytest.raises(TableError, match=r"datasets\.pima\.bounds: settable only for your own CSV"):
        load.load("pima", DatasetBlock(bounds={"Age": (0, 100)}), tmp_path)
