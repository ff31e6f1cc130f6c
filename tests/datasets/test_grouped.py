"""Do the groups of rows follow their rows, and does nothing else of them?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcohort.datasets import fetch
from synthcohort.datasets.grouped import GroupedTable, grouped
from synthcohort.datasets.load import load, subsample
from synthcohort.datasets.table import Card, Table, TableError
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.study import DatasetBlock

PATIENTS, VISITS = 40, 3


def text() -> str:
    """Return a CSV of PATIENTS patients with VISITS visits each; `trait` is the patient's own."""
    lines = [
        f"P{visit_of:03}X,{trait},{10 * visit_of + visit}.5,{(visit_of + visit) % 3 // 2}"
        for visit in range(VISITS)
        for visit_of, trait in ((p, 500 + p) for p in range(PATIENTS))
    ]
    return "patient_id,trait,marker,died\n" + "\n".join(lines) + "\n"


def own(folder: Path, content: str, **settings: Any) -> Table:
    """Return the reader's table of this text, through its copy."""
    source = folder / "visits.csv"
    source.write_text(content, encoding="utf-8")
    block = DatasetBlock(**{"path": str(source), "target": "died", "positive": "1", "group": "patient_id", **settings})
    raw = folder / "study" / "data" / "visits"
    fetch.bring("visits", block, raw)
    return load("visits", block, raw)


def small(n: int) -> Table:
    schema = Schema((Column("x", "numeric"), Column("y", "categorical", "target", levels=("0", "1"))), "1")
    frame = pd.DataFrame({"x": np.arange(n, dtype=float), "y": ["0", "1"] * (n // 2)})
    return Table(schema.cast(frame), schema, Card("t", "t", "nobody", (), "none", "none"))


def test_groups_are_numbers_in_order_of_first_appearance() -> None:
    table = grouped(small(6), pd.Series(["z9", "a1", "z9", "k", "a1", "k"]), by="who")
    assert table.groups.tolist() == [0, 1, 0, 2, 1, 2] and table.groups.dtype == np.int64
    with pytest.raises(TableError, match="'who': 3 groups for 6 rows"):
        grouped(small(6), pd.Series(["a", "b", "c"]), by="who")


def test_a_column_named_as_group_is_left_out_and_says_which_rows_belong_together(tmp_path: Path) -> None:
    table = own(tmp_path, text())
    assert isinstance(table, GroupedTable) and table.by == "patient_id"
    assert table.schema.names == ["trait", "marker", "died"]
    assert np.array_equal(table.groups, table.frame["trait"] - 500)
    assert "belong to 40 groups (patient_id), 3 to 3 rows each, 3.00 on average" in table.card.quirks[-1]
    assert "P0" not in repr((table.card, table.schema))


def test_without_the_key_nothing_is_grouped(tmp_path: Path) -> None:
    table = own(tmp_path, text(), group=None, drop=["patient_id"])
    assert type(table) is Table and not any("groups" in quirk for quirk in table.card.quirks)


def test_a_restricted_card_leaves_the_largest_group_out(tmp_path: Path) -> None:
    content = text() + "".join(f"P007X,507,{9000 + i}.5,0\n" for i in range(17))
    quirk = own(tmp_path, content, restricted=True).card.quirks[-1]
    assert "40 groups" in quirk and "20" not in quirk and "each" not in quirk
    assert "3 to 20 rows each" in own(tmp_path, content).card.quirks[-1]


def test_a_subsample_keeps_each_row_with_its_group(tmp_path: Path) -> None:
    table = own(tmp_path, text())
    part = subsample(table, 50, Rng(2))
    assert isinstance(part, GroupedTable) and len(part.groups) == 50 and part.by == "patient_id"
    pairs = {(group, trait) for group, trait in zip(part.groups, part.frame["trait"])}
    assert len(pairs) == len({group for group, _ in pairs}) == len({trait for _, trait in pairs}) < 50
    assert own(tmp_path, text(), rows=50).card.quirks[-1].startswith("The rows belong to ")


# what is wrong -> (the file's text, settings, every phrase the message must hold beside the file's name)
BAD: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "unknown": (text(), {"group": "patientid"}, ["visits.group", "'patientid'", "did you mean 'patient_id'"]),
    "target too": (text(), {"group": "died"}, ["'died'", "is the group but also", "group alone"]),
    "dropped too": (text(), {"drop": ["patient_id"]}, ["'patient_id'", "is the group but also"]),
    "sensitive too": (text(), {"sensitive": ["patient_id"]}, ["'patient_id'", "is the group but also"]),
    "kind set too": (text(), {"kinds": {"patient_id": "numeric"}}, ["'patient_id'", "is the group but also"]),
    "missing cell": (text().replace("P004X", ""), {}, ["'patient_id'", "group is missing in 3 row", "line 6"]),
    "missing text": (text(), {"missing": ["P000X"]}, ["'patient_id'", "group is missing in 3 row", "line 2"]),
    "one group": ("patient_id,trait,died\n" + "".join(f"P0,{i},{i % 2}\n" for i in range(60)), {},
                  ["'patient_id'", "one group"]),
    "nothing left": (text(), {"drop": ["trait", "marker"]}, ["only the target is left"]),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_group_that_cannot_be_is_refused_by_name(tmp_path: Path, fault: str) -> None:
    content, settings, phrases = BAD[fault]
    with pytest.raises(TableError) as caught:
        own(tmp_path, content, **settings)
    for phrase in ["visits.csv", *phrases]:
        assert phrase in str(caught.value), str(caught.value)
    assert "P0" not in str(caught.value)


def test_a_published_table_takes_no_group(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"datasets\.wdbc\.group: settable only for your own CSV"):
        load("wdbc", DatasetBlock(group="patient"), tmp_path)
