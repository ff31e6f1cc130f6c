"""Settings that DVC would miss are named with their defaults before it is started."""

import argparse
import shutil
from pathlib import Path

import pytest
import yaml

from synthcohort import cli, study, tracked

ROOT = Path(__file__).parent.parent
PIPELINE = """
stages:
  prepare:
    matrix: {dataset: "${datasets}"}
    params: [study.seed, study.test_share, metrics, "datasets.${item.dataset}"]
  again:
    matrix: {dataset: "${few_steps.tables}", generator: "${few_steps.generators}"}
    params: [few_steps.rows]
  page:
    params:
      - params.yaml:
"""
PARAMS = "study: {seed: 1}\ndatasets: {wdbc: }\ngenerators: {smote: }\n"


@pytest.fixture
def opened(tmp_path):
    def write(text):
        (tmp_path / "params.yaml").write_text(text)
        (tmp_path / "dvc.yaml").write_text(PIPELINE)
        return study.load(tmp_path)

    return write


@pytest.mark.parametrize("params", ["params.yaml", "tests/smoke/params.yaml"])
def test_the_committed_settings_leave_nothing_out(params, tmp_path):
    shutil.copy(ROOT / params, tmp_path / "params.yaml")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    assert tracked.absent(study.load(tmp_path)) == []


def test_what_is_left_out_is_listed_with_its_default(opened):
    found = opened(PARAMS)
    wanted = ["study.test_share", "metrics", "few_steps.tables", "few_steps.generators"]
    assert tracked.absent(found) == wanted
    with pytest.raises(study.ParamsError) as refused:
        tracked.check(found)
    lines = [line.strip() for line in str(refused.value).splitlines()[1:]]
    assert [line.split(":")[0] for line in lines] == wanted
    assert lines[0] == "study.test_share: 0.2" and lines[2] == "few_steps.tables: []"
    assert study.MetricsBlock(**yaml.safe_load(lines[1])["metrics"]) == found.params.metrics


def test_what_is_listed_is_all_there_is_to_write(opened):
    block = "study: {seed: 1, test_share: 0.2}\nmetrics: {}\nfew_steps: {tables: [], generators: []}\n"
    tracked.check(opened(PARAMS.replace("study: {seed: 1}\n", block)))


def test_settings_of_stages_without_a_cell_are_not_asked_for_and_those_of_others_are(opened):
    block = "metrics: {}\nfew_steps: {tables: [%s], generators: [smote]}\n"
    stated = PARAMS.replace("seed: 1", "seed: 1, test_share: 0.3")
    assert tracked.absent(opened(stated + block % "")) == []
    assert tracked.absent(opened(stated + block % "wdbc")) == ["few_steps.rows"]


def test_the_command_says_so(opened, monkeypatch, tmp_path):
    opened(PARAMS)
    monkeypatch.setenv("SYNTHCOHORT_ROOT", str(tmp_path))
    with pytest.raises(study.ParamsError, match=r"settings that dvc.yaml tracks.*\n  study.test_share: 0.2"):
        cli._check(argparse.Namespace())
