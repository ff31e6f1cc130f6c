"""What is proposed for a messy file is read back as the very cells that were written into it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from adding_files import N, changed, columns, save, study

from synthcohort.adding import proposal as proposals
from synthcohort.adding import writing
from synthcohort.adding.block import as_text
from synthcohort.cells import rows
from synthcohort.datasets import fetch, load
from synthcohort.datasets.table import TableError
from synthcohort.study import read_params

UGLY = ["a: b", "#x", " lead", "trail ", "yes", "null", "1", "2.5", "été", "性别", "العمر", 'q"q', "it's", "a,b;c\td|e"]
UGLY += [
    "{x}",
    "[y]",
    "*a",
    "&a",
    "!t",
    "- dash",
    "? ask",
    "two\nlines",
    "line\u2028break",
    "tab\t",
    "${item}",
    "a.b",
    "~",
    "@",
]


def propose(tmp_path, table, *, target="died", **saved):
    opened = study(tmp_path / "study")
    path = save(tmp_path / "cohort.csv", table, **saved)
    return opened, proposals.propose(opened, path, target=target)


def studied(opened, found):
    """Return the table as the pipeline reads it after the block is in params.yaml."""
    path = opened.paths.root / "params.yaml"
    writing.insert(path, found)
    block = read_params(path).datasets[found.name]
    fetch.bring(found.name, block, opened.paths.raw(found.name))
    return load.load(found.name, block, opened.paths.raw(found.name))


@pytest.mark.parametrize(
    ("saved", "comma"),
    [
        ({"separator": ",", "encoding": "utf-8"}, False),
        ({"separator": ";", "encoding": "latin-1"}, True),
        ({"separator": ",", "encoding": "utf-8-sig"}, True),
        ({"separator": "\t", "encoding": "utf-16"}, False),
        ({"separator": "|", "encoding": "utf-16-le"}, True),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_proposed_is_read_back_as_it_was_written(tmp_path, saved, comma, seed):
    """Numbers, holes of every spelling, levels, order and names, whatever the file looks like."""
    draw = np.random.default_rng(seed)
    truth = columns(seed)
    holes = {name: set(map(int, draw.choice(N, 12, replace=False))) for name in ("age", "marker", "ward")}
    table = changed(truth, "age", dict.fromkeys(holes["age"], "-9"))
    table = changed(table, "marker", {i: "NA" if i % 2 else "" for i in holes["marker"]})
    table = changed(table, "ward", dict.fromkeys(holes["ward"], "?"))
    if comma:
        table["marker"] = [cell.replace(".", ",") for cell in table["marker"]]
    order = list(draw.permutation(["age", "marker", "ward", "died"]))
    names = {"age": "Âge (années)", "marker": " Größe", "ward": "été", "died": "décédé"}
    shuffled = {names[name]: table[name] for name in order}
    opened, found = propose(tmp_path, shuffled, target=names["died"], **saved)
    read = studied(opened, found)
    assert read.frame.equals(found.table.frame) and read.schema == found.table.schema
    assert read.schema.names == [names[name] for name in order]
    for name in ("age", "marker"):
        wanted = pd.Series([np.nan if i in holes[name] else float(cell) for i, cell in enumerate(truth[name])])
        pd.testing.assert_series_equal(read.frame[names[name]], wanted, check_names=False)
    ward = ["missing" if i in holes["ward"] else cell for i, cell in enumerate(truth["ward"])]
    assert read.frame["été"].tolist() == ward and read.frame["décédé"].tolist() == truth["died"]
    rows.write_table(read, opened.paths.table(found.name))
    assert rows.read_table(opened.paths.table(found.name)).frame.equals(read.frame)


def test_names_of_any_kind_survive_the_way_through_params(tmp_path):
    draw = np.random.default_rng(5)
    table = {name: [str(v) for v in draw.integers(0, 40, N)] for name in UGLY} | {"died": columns()["died"]}
    opened, found = propose(tmp_path, table)
    read = studied(opened, found)
    assert read.schema.names == [*UGLY, "died"]
    assert all(read.frame[name].tolist() == [float(v) for v in table[name]] for name in UGLY)


@pytest.mark.parametrize("text", [*UGLY, "", " ", "0x1F", "1_000", "2019-01-01", "12:30:00", "=", "<<", "\x85"])
def test_a_text_is_written_on_one_line_and_read_as_itself(text):
    assert len(as_text(text).splitlines()) == 1
    assert yaml.safe_load(f"    {as_text(text)}: {as_text([text, text])}  # why") == {text: [text, text]}


def test_blank_and_repeated_headers_get_names(tmp_path):
    table = {"row": [str(i) for i in range(N)], **columns(), "more": columns(1)["marker"]}
    opened, found = propose(tmp_path, table, header=["", "age", "marker", "ward", "died", "marker"])
    assert found.block.names == {1: "column_1", 6: "marker_2"} and found.block.drop == ["column_1"]
    read = studied(opened, found)
    assert read.schema.names == ["age", "marker", "ward", "died", "marker_2"]
    assert read.frame["marker_2"].tolist() == [float(v) for v in table["more"]]


def test_traps_are_left_out_with_a_reason_each_and_a_leak_is_named(tmp_path):
    table = columns()
    trap = {
        "patient_id": [f"P{i:04}" for i in range(N)],
        "admitted": [f"{1 + i % 28:02}.{1 + i % 12:02}.2019" for i in range(N)],
        "empty": [""] * N,
        "site": ["A"] * N,
        "note": [f'said: "no",\nthen left {i}' for i in range(N)],
        "discharged_to": [{"yes": "morgue", "no": ["home", "ward"][i % 2]}[d] for i, d in enumerate(table["died"])],
    }
    _, found = propose(tmp_path, {**trap, **table})
    assert found.block.drop == [name for name in trap if name != "discharged_to"]
    lines = {name: next(line for line in found.lines if f"- {name}  #" in line) for name in trap}
    for name, why in {
        "patient_id": "identifier", "admitted": "dates", "empty": "every cell", "site": "constant",
        "note": "free text", "discharged_to": "alone tells the target, AUROC 1.000",
    }.items():  # fmt: skip
        assert why in lines[name]
    assert lines["discharged_to"].strip().startswith("# - ")
    uncommented = "\n".join(found.lines).replace("# - discharged_to", "- discharged_to")
    assert "discharged_to" in yaml.safe_load(uncommented)[found.name]["drop"]
    assert "discharged_to" not in found.block.kinds and "marker" in found.block.kinds


def test_one_edit_drops_a_leak(tmp_path):
    table = columns()
    leak = {"coded": table["died"], **table}
    opened, found = propose(tmp_path, leak)
    path = opened.paths.root / "params.yaml"
    writing.insert(path, found)
    path.write_text(path.read_text().replace("    # drop:\n      # - coded", "    drop:\n      - coded"))
    block = read_params(path).datasets["cohort"]
    fetch.bring("cohort", block, opened.paths.raw("cohort"))
    assert load.load("cohort", block, opened.paths.raw("cohort")).schema.names == list(table)


@pytest.mark.parametrize(("target", "task", "figure"), [("stage", "multiclass", "AUROC"), ("cost", "regression", "R2")])
def test_leaks_of_other_tasks_are_named_too(tmp_path, target, task, figure):
    draw = np.random.default_rng(2)
    hidden = draw.normal(0, 1, N)
    made = {"stage": np.digitize(hidden, [-1, 0.5]).astype(str), "cost": np.exp(3 * hidden).round(3).astype(str)}
    table = {"copy": list((-hidden).round(4).astype(str)), "marker": columns()["marker"], target: list(made[target])}
    _, found = propose(tmp_path, table, target=target)
    assert found.table.schema.task == task
    named = [line for line in found.lines if "alone tells" in line]
    assert len(named) == 1 and "# - copy" in named[0] and figure in named[0]


def test_a_column_that_only_helps_is_no_leak(tmp_path):
    _, found = propose(tmp_path, columns())
    assert not [line for line in found.lines if "alone tells" in line] and found.block.drop == []


def test_rows_without_a_target_are_left_out_and_said(tmp_path):
    table = changed(columns(), "died", dict.fromkeys(range(0, 40, 2), ""))
    opened, found = propose(tmp_path, changed(table, "died", {1: "NA"}))
    read = studied(opened, found)
    assert found.block.drop_rows_without_target and len(read.frame) == N - 21
    kept = [i for i in range(N) if not (i < 40 and i % 2 == 0) and i != 1]
    assert read.frame["age"].tolist() == [float(table["age"][i]) for i in kept]
    assert any("Left out for want of a target: 21 row(s)" in quirk for quirk in read.card.quirks)


def test_the_rarer_level_is_positive_and_groups_are_found_by_name(tmp_path):
    table = {"sexe": ["f", "m"] * (N // 2), **columns()}
    table["died"] = ["no" if i % 3 == 0 else "yes" for i in range(N)]
    _, found = propose(tmp_path, table)
    assert found.block.positive == "no" and found.block.sensitive == ["sexe"] and found.block.restricted
    assert any("# age is sensitive by its name too" in line for line in found.lines)


def test_patients_with_several_rows_give_a_hint(tmp_path):
    table = {"patient_id": [str(500 + i // 2) for i in range(N)], **columns()}
    _, found = propose(tmp_path, table)
    assert found.block.drop == ["patient_id"]
    assert any(line.startswith("    # group: patient_id  # ") for line in found.lines)


def test_no_comment_tells_a_cell_of_few_patients(tmp_path):
    table = changed(columns(), "age", {3: "-9", 4: "-9", 5: "-9", 9: "118"})
    _, found = propose(tmp_path, changed(table, "ward", {7: "isolation"}))
    text = "\n".join(found.lines)
    assert "isolation" not in text and "118" not in text and "fewer than 11 cells" in text


@pytest.mark.parametrize(
    ("table", "target", "message"),
    [
        (columns(), "dead", r"cohort\.csv: --target: no column 'dead'; did you mean 'died'\?"),
        (columns(), "zzz", r"--target: no column 'zzz'; The file has \['age', 'marker', 'ward', 'died'\]"),
        ({"7.5": columns()["age"], **columns()}, "zzz", "numbers in its first line: is the header missing?"),
        (columns(n=2), "died", r"cohort\.csv: 2 rows; at least 50 are needed"),
        ({**columns(), "died": ["yes"] * N}, "died", "column 'died': one class only"),
        (
            changed({**columns(), "died": ["no"] * N}, "died", {1: "yes"}),
            "died",
            "its rarest class has fewer than 11 row",
        ),
        ({"died": columns()["died"], "id": [f"p{i}" for i in range(N)]}, "died", "only the target is left"),
        (changed(columns(), "ward", {4: "a\rb"}), "died", r"cohort\.csv: line 7: a lone carriage return"),
    ],
)
def test_what_cannot_be_added_is_refused_with_the_remedy(tmp_path, table, target, message):
    with pytest.raises(TableError, match=message):
        propose(tmp_path, table, target=target)


def test_a_point_among_decimal_commas_is_refused_with_its_row(tmp_path):
    table = columns()
    table["marker"] = [m.replace(".", ",") for m in table["marker"]]
    table["height"] = [m.replace(",", ",0") for m in table["marker"]]
    with pytest.raises(TableError, match=r"column 'height', row 8 \(line 9\): a number with a point"):
        propose(tmp_path, changed(table, "height", {7: "1.5"}), separator=";")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wdbc", "the name 'wdbc' is taken: params.yaml has it already; give another with --name"),
        ("adult", "the name 'adult' is taken: the study's own tables have it"),
        ("csv_table", "the name 'csv_table' is taken"),
        ("My Table", "--name 'My Table': a table's name is lower case letters"),
    ],
)
def test_a_name_that_is_taken_or_unfit_is_refused(tmp_path, name, message):
    path = save(tmp_path / "cohort.csv", columns())
    with pytest.raises(TableError, match=message):
        proposals.propose(study(tmp_path / "study"), path, target="died", name=name)


@pytest.mark.parametrize(
    ("stem", "name"),
    [("Kohorte Größe 2019", "kohorte_grosse_2019"), ("2019-cohort", "cohort"), ("患者", "my_table"), ("a..b", "a_b")],
)
def test_the_name_follows_from_the_file(tmp_path, stem, name):
    assert proposals.default_name(tmp_path / f"{stem}.csv") == name
