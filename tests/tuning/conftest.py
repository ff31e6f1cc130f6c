import pytest
from tuning_toys import PARAMS, tables

from synthcohort import study as studies
from synthcohort.cells import preparing, rows


@pytest.fixture
def make(tmp_path_factory):
    """Return a function of params.yaml's text that writes the study's tables and opens it."""

    def open_study(text: str = PARAMS) -> studies.Study:
        root = tmp_path_factory.mktemp("study")
        (root / "params.yaml").write_text(text)
        (root / "dvc.yaml").touch()
        opened = studies.load(root)
        for name, table in tables().items():
            rows.write_table(table, opened.paths.table(name))
        return opened

    return open_study


@pytest.fixture
def opened(make):
    study = make()
    for name in study.params.datasets:
        preparing.prepare_cell(study, name)
    return study
