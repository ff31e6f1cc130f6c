"""What a notebook that fails tells of a restricted table: through a real kernel, to the terminal and in the error."""

import nbformat
import pytest

from synthcohort.disclosure import Veil
from synthcohort.pages import strip
from synthcohort.pages.execute import PageError, execute

OWN = "from synthcohort.schema import Column\nColumn('ward', 'categorical', levels=('Zanzibar', 'Zanzibar'))"
FOREIGN = "import pandas as pd\npd.Categorical(['Zanzibar']).add_categories(['Zanzibar'])"
SAY = "import sys, warnings\nprint('Zanzibar', file=sys.stderr)\nwarnings.warn('Zanzibar')\n"
VEIL = Veil("cohort", frozenset({"ward"}))


def fail(tmp_path, source: str, veil: Veil | None) -> str:
    cells = [
        nbformat.v4.new_code_cell("dataset = ''", id="a", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(SAY + source, id="b"),
    ]
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=strip.METADATA), path)
    with pytest.raises(PageError) as caught:
        executed = tmp_path / "build" / "cohort.ipynb"
        execute(path, {"dataset": "cohort"}, executed=executed, page=None, root=tmp_path, veil=veil)
    return str(caught.value)


@pytest.mark.parametrize(("source", "kind"), [(OWN, "SchemaError"), (FOREIGN, "ValueError")])
def test_a_cell_in_an_error_of_a_restricted_table_is_not_told(tmp_path, capfd, source, kind):
    told = fail(tmp_path, source, VEIL)
    said = capfd.readouterr()
    assert kind in told and "Zanzibar" not in told and "Zanzibar" not in said.out + said.err
    assert ("column 'ward': levels are repeated" in told) == (kind == "SchemaError")
    assert "must stay on this machine" in told and (tmp_path / "build" / "cohort.failed.ipynb").is_file()
    assert "Zanzibar" in (tmp_path / "build" / "cohort.stderr.txt").read_text(encoding="utf-8")


def test_the_same_error_of_another_table_quotes_the_cell(tmp_path, capfd):
    assert "Zanzibar" in fail(tmp_path, FOREIGN, None)
    assert "Zanzibar" in capfd.readouterr().err
