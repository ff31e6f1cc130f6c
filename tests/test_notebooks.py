"""Notebooks: committed without a trace of a run, short, nothing defined, and they run top to bottom from any place."""

import ast
import json
import shutil
from pathlib import Path

import nbformat
import pytest

import toys
from synthcohort import study as studies
from synthcohort.pages import strip

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALLOWED = {"synthcohort", "pandas", "matplotlib", "IPython"}
PARAMS = """
study: {seed: 3, splits: 2}
datasets: {wdbc: {rows: 140}}
generators: {independent: {}, bootstrap: {}, tabddpm: {width: 8, depth: 1, max_steps: 20, evaluate_every: 10}}
metrics: {classifiers: [xgboost], augmentation_shares: [1.0], max_rows_pairwise: 60, max_rows_distance: 60}
shadow: {tables: [wdbc], models: 6, targets: 5}
few_steps:
  {tables: [wdbc], generators: [tabddpm], evaluations: [2, 5], asked: 5, ancestral: 10, rows: 50,
   imputed_tables: [wdbc], imputers: [mtabgen_mlp], draws: 2}
imputation:
  imputers: {mean_mode: , mtabgen_mlp: {width: 8, depth: 1, max_steps: 20, evaluate_every: 10}}
  tables: [wdbc]
  scenarios: [{mcar: 0.2}, {mar: 0.2}]
  draws: 2
width: {laws: [numbers], columns: [3, 4], rows: 40, repetitions: 1, draws: 2, methods: {mean_mode: }}
scale: {tables: [wdbc], rows: [40], columns: [4], wide_rows: 40, asked_rows: 40, asked_columns: 4}
fairness: {tables: {wdbc: [mean area]}, generators: {bootstrap: }, cuts: {mean area: [550]}, dials: [0, 1], splits: 2}
guidance:
  {tables: {wdbc: [mean area]}, generators: {picked_tabddpm: {width: 8, depth: 1, max_steps: 20, rounds: 3}},
   splits: 1, curves: {steps: {option: steps, values: [2, 3]}}}
frontier: {tables: [wdbc], epsilons: [1], families: {bootstrap: {counterpart: bootstrap}}, classifiers: [xgboost]}
audit: {tables: [wdbc], epsilons: [1], families: {mst: {rounds: 5, bins: 3}}, canaries: 20}
tuning: {trials: 2, tables: [wdbc], rows: 80}
search: {tabddpm: {width: [8, 4]}}
claims:
  order: {source: "A 2020", text: Copies beat noise., metric: trend, better: bootstrap, worse: independent}
"""


def _code(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def path(request):
    return request.param


def test_there_is_a_notebook_per_stage():
    stages = "00 10 15 20 25 30 31 32 32 33 34 35 36 37 38 39 40 45 46 50 51 52 53 54 55 56 57 58 59 60 61 62 80 90"
    assert [p.stem[:2] for p in NOTEBOOKS] == stages.split()


def test_it_is_committed_in_its_stripped_form(path):
    text = path.read_text(encoding="utf-8")
    assert strip.dump(json.loads(text)) == text
    assert nbformat.writes(nbformat.read(path, as_version=4)) + "\n" == text  # what a Jupyter server would save
    nbformat.validate(nbformat.read(path, as_version=4))


def test_it_is_short_and_asks_a_question_first(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ") and "?" in cells[0].source
    assert len(_code(path)) <= 12
    assert max(len(cell.source.splitlines()) for cell in _code(path)) <= 15
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in cells) == 1


def test_it_defines_nothing_and_imports_only_the_library(path):
    for cell in _code(path):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.AsyncFunctionDef)
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= ALLOWED


def test_no_number_is_typed_into_its_prose(path):
    prose = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    assert not any(character.isdigit() for text in prose for character in text)


def test_saving_in_jupyter_gives_the_committed_bytes(path):
    model = {"type": "notebook", "content": nbformat.read(path, as_version=4)}
    model["content"].metadata["language_info"]["version"] = "3.99"
    for cell in model["content"].cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.metadata["trusted"] = 7, True
    strip.save_stripped(model)
    saved = nbformat.writes(nbformat.from_dict(model["content"])) + "\n"
    assert saved == path.read_text(encoding="utf-8")


def test_a_page_of_splits_counts_those_of_its_own_table(tmp_path, monkeypatch):
    from synthcohort.cells import rows
    from synthcohort.datasets.table import Card, Table
    from synthcohort.report import show

    said: list[str] = []
    monkeypatch.setattr(show, "say", lambda *sentences: said.extend(sentences))
    (tmp_path / "params.yaml").write_text(PARAMS.replace("{rows: 140}", "{rows: 140, splits: 3}"))
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNTHCOHORT_ROOT", raising=False)
    opened = studies.load()
    rows.write_table(
        Table(*toys.mixed(140), Card("wdbc", "t", "nobody", (), "none", "none")), opened.paths.table("wdbc")
    )
    names: dict[str, object] = {}
    for cell in _code(ROOT / "notebooks" / "10_prepare.ipynb"):
        exec(compile(cell.source, "10_prepare", "exec"), names)
    assert opened.params.study.splits == 2 and any("over 3 splits no row is" in sentence for sentence in said)


def test_all_run_in_order_from_the_folder_of_the_notebooks(tmp_path, monkeypatch, capsys):
    from synthcohort import site
    from synthcohort.datasets import fetch

    (tmp_path / "params.yaml").write_text(PARAMS)
    for name in ("dvc.yaml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("SYNTHCOHORT_ROOT", raising=False)
    opened = studies.load()
    fetch.bring_all(opened)
    for path in NOTEBOOKS:
        generators = ["independent", "bootstrap", "tabddpm"] if path.stem[:2] in ("20", "30", "35") else [None]
        generators = ["tabddpm"] if path.stem[:2] == "15" else generators
        for generator in generators:
            names: dict[str, object] = {}
            for cell in _code(path):
                exec(compile(cell.source, path.name, "exec"), names)
                names |= {"generator": generator} if generator and "parameters" in cell.metadata.get("tags", []) else {}
    index = site.write(opened)
    found = json.loads(opened.paths.findings.read_text())
    assert found["claims"][0]["verdict"] == "supported"
    assert set(found["tables"]["wdbc"]["generators"]) == {"real", "independent", "bootstrap", "tabddpm"}
    assert "wdbc" in index.read_text() and "**supported**" in (tmp_path / "README.md").read_text()
    assert list((tmp_path / "notebooks").iterdir()) == []
