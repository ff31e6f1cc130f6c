"""One cell of a stage: refusals that name what is known, and tables that could not be had."""

import json
from pathlib import Path

import pytest

from synthcohort import checks, scores, stages, study
from synthcohort.pages import template

PARAMS = "study: {seed: 1}\ndatasets: {wdbc: , gone: }\ngenerators: {smote: {neighbours: 5}}\n"
FILLED = "imputation: {tables: [wdbc], imputers: {mice: }}\n"
CELLS = """
few_steps: {generators: [smote]}
fairness: {generators: {smote: }}
guidance: {generators: {smote: }}
frontier: {families: {smote: {counterpart: smote}}}
audit: {families: {smote: {}}}
"""
CELL = {"dataset": "gone", "generator": "smote", "imputer": "mice"}  # of the stages that have a table
TRAINED = {"dataset": "gone", "generator": "smote"}


@pytest.fixture
def opened(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS + FILLED + CELLS)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    found = study.load(tmp_path)
    marker = found.paths.skipped("gone")
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reason": "no route to it", "remedy": "put it at data/gone/t.csv"}))
    return found


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        ("trian", TRAINED, "no stage 'trian'; there are raw, prepare, tune, train"),
        ("train", {"dataset": "wdbc"}, "stage train takes --dataset NAME --generator NAME"),
        ("cost", {"dataset": "wdbc"}, "stage cost takes no further arguments"),
        ("raw", {"dataset": "pimma"}, "params.yaml has no dataset 'pimma'; it has wdbc, gone"),
        ("impute", {"dataset": "wdbc"}, "stage impute takes --dataset NAME --imputer NAME"),
        ("impute", {"dataset": "wdbc", "imputer": "mise"}, "params.yaml has no imputer 'mise'; it has mice"),
        ("width", {"method": "mise"}, "params.yaml has no method 'mise'; it has none"),
        ("train", {"dataset": "wdbc", "generator": "gan"}, "params.yaml has no generator 'gan'; it has smote"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(opened, name, cell, message):
    with pytest.raises(study.ParamsError, match=message):
        stages.run(opened, name, cell)


@pytest.mark.parametrize("name", [n for n, s in stages.STAGES.items() if "dataset" in s.per])
def test_an_absent_table_leaves_every_file_the_pipeline_expects(opened, name):
    stage = stages.STAGES[name]
    cell = {k: CELL[k] for k in stage.per}
    page = stages.run(opened, name, cell)
    text = page.read_text(encoding="utf-8")
    assert "no route to it" in text
    assert "put it at data/gone/t.csv" in text
    assert opened.paths.executed(name, *cell.values()).is_file()
    for folder in stage.folders:
        assert [p.name for p in folder(opened.paths, *cell.values()).iterdir()] == ["SKIPPED.json"]
    for table in stage.tables:
        assert scores.read(table(opened.paths, *cell.values())).empty
    for record in stage.records:
        assert json.loads(record(opened.paths, *cell.values()).read_text())["reason"].startswith("no route to it")


def test_committed_results_of_an_absent_table_are_kept_and_marked(opened):
    kept = scores.to_frame(
        [scores.Score("fidelity", "shape", 0.9, 10, "up")], dataset="gone", generator="smote", split=0
    )
    path = opened.paths.scores("gone", "smote")
    scores.write(kept, path)
    before = path.read_bytes()
    page = opened.paths.page("tables/gone")
    page.parent.mkdir(parents=True)
    page.write_text(template.page("Gone", "<p>committed figure</p>"), encoding="utf-8")
    stages.run(opened, "evaluate", TRAINED)
    stages.run(opened, "side_by_side", {"dataset": "gone"})
    assert path.read_bytes() == before
    text = page.read_text(encoding="utf-8")
    assert "committed figure" in text
    assert text.count("Not re-run on this machine: no route to it") == 1


def test_claims_and_conditions_are_checked_against_what_there_is(opened, tmp_path):
    claim = "claims: {c: {source: s, text: t, metric: m, better: %s, worse: real, tables: [%s]}}\n"
    for text, message in (
        (PARAMS + claim % ("gan", "wdbc"), r"claims.c: no generator 'gan'; there are \['real', 'smote'\]"),
        (PARAMS + claim % ("smote", "wdcb"), "claims.c.tables: no dataset 'wdcb'"),
        (
            PARAMS + "shadow: {tables: [wdbc, pima]}\n",
            r"shadow.tables: no dataset 'pima'; there are \['wdbc', 'gone'\]",
        ),
        (PARAMS + "scale: {tables: [pima]}\n", "scale.tables: no dataset 'pima'"),
        (PARAMS + "few_steps: {tables: [pima], generators: [smote]}\n", "few_steps.tables: no dataset 'pima'"),
        (PARAMS + "few_steps: {tables: [wdbc], generators: [vae]}\n", "few_steps.generators: no generator 'vae'"),
        (
            PARAMS.replace("}}", "}, tabddpm: }") + "few_steps: {tables: [wdbc], generators: [tabddpm, smote]}\n",
            "few_steps.generators: smote has no sampling option 'steps', .* these can: tabddpm",
        ),
        (PARAMS + "few_steps: {imputed_tables: [pima]}\n", "few_steps.imputed_tables: no dataset 'pima'"),
        (
            PARAMS + FILLED + "few_steps: {imputers: [mtabgen]}\n",
            r"few_steps.imputers: no 'mtabgen' under imputation.imputers; there are \['mice'\]",
        ),
        (
            PARAMS + "imputation: {imputers: {mice: , mtabgen: }}\nfew_steps: {imputers: [mtabgen, mice]}\n",
            "few_steps.imputers: mice has no sampling option 'steps', .* these can: mtabgen",
        ),
        (PARAMS + "imputation: {tables: [pima]}\n", "imputation.tables: no dataset 'pima'"),
        (
            PARAMS + "imputation: {imputers: {smote: }}\n",
            "imputation.imputers.smote: 'smote' fills no missing cells. There are the imputers boosting, .* arf, dp_mt",
        ),
        (
            PARAMS + "imputation: {imputers: {mice: {round: 2}}}\n",
            r"imputation.imputers.mice: unknown hyperparameter 'round'. Did you mean 'rounds'\?",
        ),
        (PARAMS + "imputation: {imputers: {mice: {rounds: 0}}}\n", "imputation.imputers.mice: .*rounds=0 must be at"),
        (PARAMS + "width: {methods: {mtabgem: }}\n", "width.methods.mtabgem: 'mtabgem' fills no missing cells"),
        (PARAMS + "width: {methods: {smote: {k: 2}}}\n", "width.methods.smote: .*unknown hyperparameter 'k'"),
        (PARAMS + "fairness: {tables: {pima: [sex]}}\n", "fairness.tables: no dataset 'pima'"),
        (PARAMS + "fairness: {generators: {vea: }}\n", "fairness.generators: no generator 'vea'"),
        (
            PARAMS + "fairness: {tables: {wdbc: [a]}}\nguidance: {tables: {wdbc: [a, b]}}\n",
            r"guidance.tables.wdbc: 'b' is not under fairness.tables.wdbc: \['a'\]",
        ),
        (PARAMS + "guidance: {generators: {vea: }}\n", "guidance.generators.vea: no generator 'vea'"),
        (
            PARAMS + "guidance: {generators: {smote: }, curves: {c: {option: steps, values: [1]}}}\n",
            "guidance.curves: smote has no sampling option 'steps'; it has none",
        ),
        (
            PARAMS + "guidance: {curves: {c: {option: steps, values: [1, 1]}}}\n",
            r"guidance.curves.c: .* values \[1, 1\] must be different",
        ),
        (
            PARAMS + "guidance: {curves: {c: {option: steps, values: [1], also: {steps: 2}}}}\n",
            "guidance.curves.c: .* also fixes steps, the option that the curve moves",
        ),
        (
            PARAMS + "fairness: {tables: {wdbc: [a]}, splits: 2}\nguidance: {tables: {wdbc: [a]}}\n",
            "guidance.splits: 3 of the 2 splits of `fairness`",
        ),
        (PARAMS + "guidance: {tables: {wdbc: []}}\n", "guidance: .* name the columns to balance"),
        (PARAMS + "frontier: {tables: [pima]}\n", "frontier.tables: no dataset 'pima'"),
        (PARAMS + "audit: {tables: [pima]}\n", "audit.tables: no dataset 'pima'"),
        (
            PARAMS + "frontier: {tables: [wdbc], families: {mst: {counterpart: arf}}}\n",
            r"frontier.families.mst: its counterpart 'arf', .* is none of the study's generators \['smote'\]",
        ),
        (
            PARAMS.replace("}}", "}, arf: }") + "frontier: {tables: [wdbc], families: {arf: {counterpart: smote}}}\n",
            "frontier.families: arf is not private; name generators with the ability 'private'",
        ),
        (PARAMS + "audit: {tables: [wdbc], families: {arf: {}}}\n", "audit.families: arf is not private"),
        (
            PARAMS + "audit: {tables: [wdbc], families: {msd: {}}}\n",
            "audit.families.msd: no generator 'msd'. Did you mean 'mst'",
        ),
        (
            PARAMS + "audit: {tables: [wdbc], families: {mst: {round: 3}}}\n",
            "audit.families.mst: .*unknown hyperparameter 'round'",
        ),
        (PARAMS + "tuning: {kept: {smote: known}}\n", r"tuning.kept: 'smote' is not searched; search has \[\]"),
        (PARAMS + "conditions: [minorty]\n", "no condition 'minorty'; there are: as_observed, minority"),
    ):
        (tmp_path / "params.yaml").write_text(text)
        with pytest.raises(study.ParamsError, match=message):
            checks.check(study.load(tmp_path))


def test_generators_of_a_question_that_is_put_to_no_table_are_not_checked(opened, tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS + "few_steps: {tables: [], generators: [tabddpm]}\n")
    checks.check(study.load(tmp_path))


def test_nothing_is_asked_of_families_where_no_table_is_named(opened):
    (opened.paths.root / "params.yaml").write_text(
        PARAMS + "frontier: {families: {mst: {counterpart: arf}}}\naudit: {families: {none: {}}}\n"
    )
    checks.check(study.load(opened.paths.root))


def test_every_stage_has_its_notebook():
    root = Path(__file__).parent.parent / "notebooks"
    assert all((root / f"{stage.notebook}.ipynb").is_file() for stage in stages.STAGES.values())
