"""params.yaml: every unknown or misspelt key is an error that names it and lists the known ones."""

from pathlib import Path

import pytest

from synthcohort import study
from synthcohort.missingness import MECHANISMS

ROOT = Path(__file__).parent.parent
GOOD = "study: {seed: 1}\ndatasets: {wdbc: }\ngenerators: {smote: {neighbours: 5}}\n"


def read(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return study.read_params(path)


def test_the_committed_params_are_understood():
    from synthcohort import checks

    params = study.read_params(ROOT / "params.yaml")
    checks.check(study.Study(params, study.Paths(ROOT)))
    assert len(params.datasets) >= 6


def test_the_optional_stages_can_be_left_out(tmp_path):
    text = "shadow: {tables: []}\nfew_steps: {tables: [], imputed_tables: []}\nimputation: {tables: []}\n"
    params = read(tmp_path, GOOD + text + "fairness: {tables: []}\nfrontier: {tables: []}\naudit: {tables: []}\n")
    assert params.shadow.tables == params.few_steps.tables == params.imputation.tables == []
    assert params.few_steps.imputed_tables == params.few_steps.imputers == []
    assert params.width.methods == params.fairness.tables == {}
    assert params.frontier.tables == params.audit.tables == []


def test_scenarios_are_written_as_a_mechanism_with_its_rate(tmp_path):
    text = "imputation: {imputers: {mice: }, fitted: {mar: 0.3}, scenarios: [{mcar: 0.25}, {mar: 0.3}]}\n"
    block = read(tmp_path, GOOD + text).imputation
    assert block.imputers == {"mice": {}} and [s.name for s in block.scenarios] == ["mcar_0.25", "mar_0.3"]
    assert block.fitted == block.scenarios[1] and block.fitted.rate == 0.3
    assert study.Scenario.model_fields["mechanism"].annotation.__args__ == tuple(MECHANISMS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("seed: 1", "sede: 1"), r"study.sede: unknown key 'sede'; did you mean 'seed'\? Known keys here"),
        (GOOD.replace("seed: 1", "seed: 1, splits: 0"), "study.splits: .*greater than or equal to 1"),
        (GOOD.replace("wdbc: ", "wdbc: {targt: x}"), "datasets.wdbc.targt: unknown key .*did you mean 'target'"),
        (GOOD.replace("wdbc", "My Table"), "name 'My Table' must be lower case"),
        (GOOD + "metrcs: {}\n", "metrcs: unknown key 'metrcs'; did you mean 'metrics'"),
        (GOOD + "metrics: {classifiers: [svn]}\n", "metrics.classifiers.0: .*random_forest"),
        (GOOD.replace("datasets: {wdbc: }", "datasets: {}"), "datasets: .*at least 1 item"),
        (GOOD + "study: {seed: 2}\n", "the key 'study' is written twice"),
        (GOOD + "shadow: {tables: [wdbc], models: 7}\n", "shadow.models: .*multiple of 2"),
        (GOOD + "shadow: {tables: [wdbc], model: 8}\n", "shadow.model: unknown key 'model'; did you mean 'models'"),
        (GOOD + "few_steps: {evaluations: [10, 5]}\n", r"few_steps: .*evaluations \[10, 5\] must be different numbers"),
        (GOOD + "few_steps: {asked: 7}\n", r"few_steps: .*asked is 7; it must be one of evaluations \[5, 10, 15"),
        (GOOD + "few_steps: {ancestral: 100}\n", "few_steps: .*ancestral is 100; it must be more than any"),
        (GOOD + "few_steps: {draws: 1}\n", "few_steps.draws: .*greater than or equal to 2"),
        (GOOD + "width: {columns: [8]}\n", r"width: .*columns \[8\] must be two or more different numbers"),
        (GOOD + "width: {laws: [normal]}\n", "width.laws.0: .*'numbers' or 'codes'"),
        (GOOD + "width: {method: {}}\n", "width.method: unknown key 'method'; did you mean 'methods'"),
        (GOOD + "imputation: {imputer: {}}\n", "imputation.imputer: unknown key 'imputer'; did you mean 'imputers'"),
        (GOOD + "imputation: {fitted: {mcra: 0.2}}\n", "imputation.fitted.mechanism: .*'mcar', 'mar' or 'mnar'"),
        (GOOD + "imputation: {scenarios: [{mcar: 0.2}, {mar: 1}]}\n", "imputation.scenarios.1.rate: .*less than 1"),
        (GOOD + "imputation: {fitted: mcar}\n", "imputation.fitted: .*write one mechanism with its rate"),
        (GOOD + "imputation: {fitted: {mcar: 0.1, mar: 0.2}}\n", "imputation.fitted: .*write one mechanism"),
        (GOOD + "imputation: {fitted: {mar: 0.2}}\n", "imputation: .*fitted is mar_0.2; it must be one of scenarios"),
        (GOOD + "imputation: {scenarios: [{mcar: 0.2}, {mcar: 0.20}]}\n", "imputation: .*scenarios .* must differ"),
        (GOOD + "imputation: {draws: 0}\n", "imputation.draws: .*greater than or equal to 1"),
        (GOOD + "scale: {tables: [wdbc, pima]}\n", "scale.tables: .*at most 1 item"),
        (GOOD + "scale: {rows: [2000, 1000]}\n", r"scale: .*rows \[2000, 1000\] must be different numbers from 20 on"),
        (GOOD + "scale: {asked_columns: 7}\n", r"scale: .*asked_columns is 7; it must be one of columns \[10, 100"),
        (
            GOOD + "fairness: {dials: [0, 0.5]}\n",
            r"fairness: .*dials \[0.0, 0.5\] must be different numbers, .* from 0 to 1",
        ),
        (GOOD + "fairness: {tables: {wdbc: []}}\n", r"fairness: .*tables.wdbc is \[\]; name its sensitive columns"),
        (GOOD + "fairness: {dial: [0, 1]}\n", "fairness.dial: unknown key 'dial'; did you mean 'dials'"),
        (
            GOOD + "frontier: {epsilons: [2, 1]}\n",
            r"frontier: .*epsilons \[2.0, 1.0\] must be different positive numbers",
        ),
        (GOOD + "frontier: {epsilons: [1, .inf]}\n", "frontier: .*must be different positive numbers"),
        (GOOD + "audit: {epsilons: []}\n", r"audit: .*epsilons \[\] must be different positive numbers"),
        (GOOD + "audit: {canary: 3}\n", "audit.canary: unknown key 'canary'; did you mean 'canaries'"),
        (
            GOOD + "frontier: {families: {mst: {setting: {}}}}\n",
            "mst.setting: unknown key 'setting'; did you mean 'settings'",
        ),
        (GOOD + "tuning: {trial: 3}\n", "tuning.trial: unknown key 'trial'; did you mean 'trials'"),
        (GOOD + "search: {smote: }\n", "search: .*smote names no hyperparameter"),
        (GOOD + "search: {smote: {neighbours: [5, 5]}}\n", "smote.neighbours needs two or more different choices"),
        (GOOD + "claims: {c: {source: s}}\n", "claims.c.text: Field required"),
        ("study: [", "not valid YAML"),
        ("", "params.yaml"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path, text, message):
    with pytest.raises(study.ParamsError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("smote", "smoth", "no generator 'smoth'. Did you mean 'smote'"),
        ("neighbours", "neighbors", "generators.smote: unknown hyperparameter 'neighbors'. Did you mean 'neighbours'"),
        ("neighbours: 5", "neighbours: 0", "neighbours=0 must be 1 or more"),
    ],
)
def test_generators_are_checked_against_their_constructors(tmp_path, old, new, message):
    from synthcohort import checks

    params = read(tmp_path, GOOD.replace(old, new))
    with pytest.raises(study.ParamsError, match=message):
        checks.check(study.Study(params, study.Paths(tmp_path)))


SEARCH = GOOD + "tuning: {trials: 2, tables: [%s]}\nsearch: {%s: {%s: [%s]}}\n"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (("wdbc", "smoth", "neighbours", "1, 2"), "search.smoth: no generator 'smoth'. Did you mean 'smote'"),
        (("wdbc", "smote", "neighbors", "1, 2"), "search.smote: .*'neighbors'. Did you mean 'neighbours'"),
        (("wdbc", "smote", "neighbours", "2, 0"), "search.smote: .*neighbours=0 must be 1 or more"),
        (("pima", "smote", "neighbours", "1, 2"), "tuning.tables: no dataset 'pima'"),
    ],
)
def test_searches_are_checked_against_the_constructors(tmp_path, written, message):
    from synthcohort import checks

    params = read(tmp_path, SEARCH % written)
    with pytest.raises(study.ParamsError, match=message):
        checks.check(study.Study(params, study.Paths(tmp_path)))


def test_a_search_with_fewer_settings_than_trials_is_refused(tmp_path):
    from synthcohort import checks

    params = read(tmp_path, (SEARCH % ("wdbc", "smote", "neighbours", "1, 2")).replace("trials: 2", "trials: 3"))
    with pytest.raises(study.ParamsError, match=r"search.smote has 2 different settings, fewer than tuning.trials = 3"):
        checks.check(study.Study(params, study.Paths(tmp_path)))


def test_the_study_is_found_from_any_folder_inside_it(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "params.yaml").write_text(GOOD)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path / "notebooks")
    assert study.load().paths.root == tmp_path.resolve()
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setattr(study, "SOURCE_TREE", tmp_path.parent / "elsewhere")
    with pytest.raises(study.ParamsError, match="run inside the study's folder"):
        study.load()
    monkeypatch.setattr(study, "SOURCE_TREE", tmp_path)
    assert study.load().paths.root == tmp_path


def test_cuda_without_a_gpu_is_an_error_not_a_fallback(tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    opened = study.Study(read(tmp_path, GOOD.replace("seed: 1", "seed: 1, device: cuda")), study.Paths(tmp_path))
    with pytest.raises(study.ParamsError, match="set it to auto or cpu"):
        _ = opened.device
