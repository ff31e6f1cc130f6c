"""Pages: strict parameters, equal bytes, a usable post-mortem, a box for what was not re-run."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from synthcohort.pages import strip, template
from synthcohort.pages.execute import PageError, check_parameters, execute
from synthcohort.pages.render import render

SOURCE = [
    ("markdown", "# Which page?\n\nA question.", ()),
    ("code", 'dataset = "wdbc"  # a table\nrepeats = 2', ("parameters",)),
    ("code", "import sys\nfrom synthcohort.report import show\nprint('bar', file=sys.stderr)", ()),
    ("code", "show.subject(dataset)\nprint('here', repeats)\n1 / repeats", ()),
]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = []
    for number, (kind, source, tags) in enumerate(SOURCE):
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        cells.append(make(source, id=f"cell-{number}", metadata={"tags": list(tags)} if tags else {}))
    made = nbformat.v4.new_notebook(cells=cells, metadata=strip.METADATA)
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "a.ipynb"
    nbformat.write(made, path)
    return path


def test_an_unknown_parameter_is_an_error_that_lists_the_known_ones(notebook):
    with pytest.raises(PageError, match=r"does not know the parameter 'datset'.*dataset \(default \"wdbc\"\)"):
        check_parameters(notebook, {"datset": "wdbc", "repeats": 1})


def test_a_missing_parameter_is_an_error_that_lists_the_known_ones(notebook):
    with pytest.raises(PageError, match=r"needs a value for the parameter 'repeats'.*repeats"):
        check_parameters(notebook, {"dataset": "wdbc"})


def test_a_missing_notebook_is_named_with_its_neighbours(notebook):
    with pytest.raises(PageError, match=r"no notebook 'b.ipynb'.*'a.ipynb'"):
        check_parameters(notebook.with_name("b.ipynb"), {})


def test_two_runs_give_the_same_bytes_and_progress_goes_to_the_terminal(notebook, tmp_path, capsys):
    source = notebook.read_bytes()
    runs = []
    for run in ("one", "two"):
        executed = tmp_path / run / "build" / "a.ipynb"
        page = execute(notebook, {"dataset": "pima", "repeats": 4}, executed=executed, page=None, root=tmp_path / run)
        runs.append((executed.read_bytes(), page.read_bytes()))
    assert runs[0] == runs[1]
    assert notebook.read_bytes() == source
    text, html = (part.decode() for part in runs[0])
    assert "0.25" in html and "here 4" in html and "<title>Which page? · pima · Synthetic cohorts</title>" in html
    assert "bar" in capsys.readouterr().err and '"bar' not in text
    assert "papermill" not in json.dumps(json.loads(text)["metadata"]) and str(tmp_path) not in text
    assert not re.search(r"""(src|href)=["'](https?:)?//""", html)
    assert sorted(p.name for p in executed.parent.iterdir()) == ["a.html", "a.ipynb"]


def test_a_heading_over_nothing_is_left_out(tmp_path):
    made = [
        nbformat.v4.new_markdown_cell("# Which page?", id="a"),
        nbformat.v4.new_markdown_cell("## Full", id="b"),
        nbformat.v4.new_code_cell("1", id="c", outputs=[nbformat.v4.new_output("stream", text="here")]),
        nbformat.v4.new_markdown_cell("## Empty", id="d"),
        nbformat.v4.new_code_cell("silent = 2", id="e"),
        nbformat.v4.new_markdown_cell("## Words", id="f"),
        nbformat.v4.new_markdown_cell("that stand by themselves", id="g"),
        nbformat.v4.new_markdown_cell("## Last", id="h"),
    ]
    notebook = nbformat.v4.new_notebook(cells=made, metadata=strip.METADATA)
    html = render(notebook, parameters={}, page=tmp_path / "reports" / "a.html", root=tmp_path)
    assert re.findall(r"<h2[^>]*>(\w+)", html) == ["Full", "Words"]
    assert "here" in html and "stand by themselves" in html and "silent = 2" in html
    assert [cell.id for cell in notebook.cells] == list("abcdefgh")


def test_a_failure_leaves_a_post_mortem_and_says_where(notebook, tmp_path):
    executed = tmp_path / "build" / "a.ipynb"
    with pytest.raises(PageError, match=r"(?s)ZeroDivisionError.*1 / repeats.*a\.failed\.ipynb"):
        execute(notebook, {"dataset": "pima", "repeats": 0}, executed=executed, page=None, root=tmp_path)
    assert not executed.exists()
    assert "here 0" in (executed.parent / "a.failed.ipynb").read_text()


def test_the_box_for_what_was_not_re_run_is_placed_once(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(template.page("A table", "<p>kept</p>", home="../"))
    template.mark_skipped(path, "no internet & no mirror")
    template.mark_skipped(path, "no internet, no mirror")
    text = path.read_text()
    assert text.count("Not re-run on this machine") == 1 and "no internet, no mirror" in text and "kept" in text


def test_a_foreign_page_is_not_marked(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<p>other</p>")
    with pytest.raises(ValueError, match=r"page.html has no place"):
        template.mark_skipped(path, "reason")


def test_a_page_leads_home_by_relative_links():
    assert '<a href="../index.html">' in template.page("A table", "", home="../")


def test_stripping_removes_what_a_run_and_an_editor_add(notebook):
    kept = strip.dump(json.loads(notebook.read_text()))
    used = json.loads(notebook.read_text())
    used["metadata"]["language_info"] = {"name": "python", "version": "3.99"}
    used["cells"][1] |= {"execution_count": 4, "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]}
    used["cells"][1]["metadata"]["execution"] = {"shell.execute_reply": "now"}
    assert strip.dump(used) == kept
    assert json.loads(kept)["cells"][1]["metadata"] == {"tags": ["parameters"]}
