"""Handing out a synthetic table: what is refused, what is printed, what stands on the data sheet."""

import hashlib
import json
from dataclasses import replace

import pandas as pd
import pytest

import toys
from synthcohort import cli, release, scores
from synthcohort import study as studies
from synthcohort.cells import fitting, preparing, rows
from synthcohort.cells.holdout import read_samples, read_test
from synthcohort.cells.releasing import ReleaseError, candidate
from synthcohort.comparison.intervals import Resampling
from synthcohort.datasets.table import Card, Table
from synthcohort.disclosure import outer
from synthcohort.metrics.privacy import privacy_scores
from synthcohort.release import Order
from synthcohort.report import privacy_verdict
from synthcohort.scores import Score

SPLITS = 5
PARAMS = """
study: {seed: 4, splits: 5, test_share: 0.3, validation_share: 0.2}
datasets: {toy: {path: toy.csv, target: died, restricted: RESTRICTED}}
generators: {bootstrap: {}, independent: {}, smote: {neighbours: 4}}
"""
GOOD = {"mia_auroc_distance": (0.5, 0.51, 0.49, 0.5, 0.5), "singling_out_risk": (-0.01, 0.02, 0.01, 0.0, -0.02)}
BAD = {"mia_auroc_distance": (0.9, 0.91, 0.92, 0.9, 0.9), "singling_out_risk": (0.4, 0.41, 0.39, 0.4, 0.4)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A restricted table with two trained generators and the scores that bear on privacy."""
    root = tmp_path_factory.mktemp("study")
    (root / "dvc.yaml").touch()
    restrict(root, True)
    study = studies.load(root)
    frame, schema = toys.mixed(1000)
    card = Card("toy", "A toy cohort", "nobody", ("https://example.org",), "by agreement only", "none", restricted=True)
    rows.write_table(Table(frame, schema, card), study.paths.table("toy"))
    preparing.prepare_cell(study, "toy")
    for generator, others in (("bootstrap", BAD), ("independent", GOOD)):
        fitting.fit_cell(study, "toy", generator)
        judge(study, generator, others)
    return study


def restrict(root, restricted: bool) -> None:
    (root / "params.yaml").write_text(PARAMS.replace("RESTRICTED", str(restricted).lower()))


def judge(study: studies.Study, generator: str, others: dict[str, tuple[float, ...]]) -> None:
    """Write a score file: memorisation as it is computed, the other metrics as given."""
    place = study.paths.development("toy")
    schema, parts = rows.read_schema(place), []
    for split in range(SPLITS):
        train, _ = rows.read_development(place, split)
        test = read_test(study.paths.test("toy"), split)
        drawn = read_samples(study.paths.trained("toy", generator), split, schema, ["as_observed"])["as_observed"]
        rng = study.rng.branch("metrics", "toy", split).branch("privacy")
        found = privacy_scores(train, test, drawn, schema, max_rows=study.params.metrics.max_rows_distance, rng=rng)
        made = [Score("privacy", name, values[split], 50, "down") for name, values in others.items()]
        quality = [Score("fidelity", "shape", 0.9 + split / 100, 50, "up")]
        parts.append(scores.to_frame([*found, *made, *quality], dataset="toy", generator=generator, split=split))
    scores.write(pd.concat(parts), study.paths.scores("toy", generator))


def test_a_good_verdict_lets_a_restricted_table_go_with_its_sheet_and_nothing_else(trained, tmp_path, capsys):
    sheet = release.release(trained, Order("toy", "independent", 1, tmp_path / "out"))
    said = capsys.readouterr().out
    assert "none of 1 attacks finds train rows" in said and "None of 3 answers speaks against" in said
    assert "It shows 0 levels that fewer than 11 train rows have" in said
    names = sorted(p.name for p in sheet.parent.iterdir())
    assert names == ["toy-independent-split1.csv", "toy-independent-split1.md"]
    given = sheet.with_suffix(".csv").read_bytes()
    assert given == (trained.paths.trained("toy", "independent") / "split_1" / "as_observed.csv").read_bytes()
    text = sheet.read_text(encoding="utf-8")
    for part in (
        *("by agreement only", "split 1 (of 5)", "Seed of the study: 4", hashlib.sha256(given).hexdigest()),
        *("bootstrap (copies)", "fresh real rows", "Shape 0.920 [", "differential privacy", "restricted"),
    ):
        assert part in text
    assert "despite" not in text


def test_the_sheet_of_a_private_fit_says_what_was_spent_and_what_its_noise_is_worth(trained, tmp_path):
    path = trained.paths.trained("toy", "independent") / "split_1" / "generator.json"
    text = path.read_text(encoding="utf-8")
    spent = {"epsilon": 0.5, "delta": 1e-4, "accountant": "PRV, seeded noise", "clip_norm": 1.0}
    kept = json.loads(text)
    kept["record"] = {"spent": spent, "composition": "gradients: 3 steps\ntogether: 0.5"}
    path.write_text(json.dumps(kept), encoding="utf-8")
    try:
        sheet = release.release(trained, Order("toy", "independent", 1, tmp_path)).read_text(encoding="utf-8")
    finally:
        path.write_text(text, encoding="utf-8")
    assert "The fit spent ε = 0.5 at δ = 0.0001" in sheet and "gradients: 3 steps; together: 0.5" in sheet
    assert "whoever knows the seed can take it away" in sheet and "Not paid for" in sheet
    assert "The fit spent" not in release.release(trained, Order("toy", "independent", 1, tmp_path)).read_text()


def test_a_bad_verdict_keeps_a_restricted_table_at_home_unless_a_reason_is_given(trained, tmp_path, capsys):
    with pytest.raises(ReleaseError, match=r"verdict is bad: nothing was written.*--despite"):
        release.release(trained, Order("toy", "bootstrap", 0, tmp_path / "out", despite="  "))
    said = capsys.readouterr().out
    assert "not surely below 0.4" in said and "1 of 1 attacks find train rows" in said
    assert "single out train rows; not surely below 0.09" in said
    assert not (tmp_path / "out").exists()
    sheet = release.release(trained, Order("toy", "bootstrap", 0, tmp_path / "out", despite="only for the audit"))
    text = sheet.read_text(encoding="utf-8")
    assert "3 of 3 answers speak against" in text and "only for the audit" in text


def test_a_restricted_table_without_scores_stays_and_an_open_one_says_so(trained, tmp_path, capsys):
    kept = trained.paths.scores("toy", "independent")
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    try:
        with pytest.raises(ReleaseError, match=r"no scores of memorisation.*dvc repro evaluate@toy-independent"):
            release.release(trained, Order("toy", "independent", 0, tmp_path))
        assert not list(tmp_path.iterdir())
        restrict(trained.paths.root, False)
        sheet = release.release(studies.load(trained.paths.root), Order("toy", "independent", 0, tmp_path))
        assert "Not measured" in sheet.read_text(encoding="utf-8")
    finally:
        kept.write_text(text, encoding="utf-8")
        restrict(trained.paths.root, True)


def test_scores_of_other_rows_vouch_for_nothing(trained, tmp_path):
    path = trained.paths.trained("toy", "independent") / "split_0" / "as_observed.csv"
    text = path.read_text(encoding="utf-8")
    copies = (trained.paths.trained("toy", "bootstrap") / "split_0" / "as_observed.csv").read_text(encoding="utf-8")
    path.write_text(copies, encoding="utf-8")
    try:
        with pytest.raises(ReleaseError, match=r"not those of the rows in split_0.*dvc repro evaluate@toy-independent"):
            release.release(trained, Order("toy", "independent", 0, tmp_path))
    finally:
        path.write_text(text, encoding="utf-8")
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_named_with_the_command_that_makes_it(trained, tmp_path):
    with pytest.raises(ReleaseError, match=r"smote on toy, split 0: not trained.*`dvc repro train@toy-smote`"):
        release.release(trained, Order("toy", "smote"))
    with pytest.raises(studies.ParamsError, match="no generator 'vae'; it has bootstrap, independent, smote"):
        release.release(trained, Order("toy", "vae"))
    with pytest.raises(studies.ParamsError, match="toy has no split 5; its splits are 0 to 4"):
        release.release(trained, Order("toy", "bootstrap", 5))
    failed = trained.paths.trained("toy", "smote") / "split_0"
    failed.mkdir(parents=True)
    (failed / "failed.json").write_text(json.dumps({"reason": "class 'Zanzibar' has 3 rows"}))
    with pytest.raises(ReleaseError, match=r"gave no rows; the reason: class \[withheld\] has \[withheld\] rows"):
        release.release(trained, Order("toy", "smote"))


def test_a_cell_that_breaks_the_schema_is_not_quoted(trained, tmp_path):
    path = trained.paths.trained("toy", "independent") / "split_2" / "as_observed.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("II,", "Zanzibar,"), encoding="utf-8")
    try:
        with pytest.raises(ReleaseError, match="SchemaError: column 'stage' holds") as caught:
            release.release(trained, Order("toy", "independent", 2, tmp_path))
    finally:
        path.write_text(text, encoding="utf-8")
    assert "Zanzibar" not in str(caught.value)


def test_the_command_prints_the_verdict_or_the_refusal(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SYNTHCOHORT_ROOT", str(trained.paths.root))
    assert cli.main(["release", "toy", "bootstrap", "--out", str(tmp_path / "a")]) == 2
    assert "synthcohort: toy is restricted and its privacy verdict is bad" in capsys.readouterr().err
    assert cli.main(["release", "toy", "independent", "--split", "2"]) == 0
    assert "Data sheet: " in capsys.readouterr().out
    assert (trained.paths.release("toy", "independent") / "toy-independent-split2.csv").is_file()


def test_rare_levels_and_far_numbers_of_a_table_are_counted(trained):
    found = candidate(trained, "toy", "bootstrap", 0)
    low, high = outer(found.train["marker"])
    few = found.train["stage"].where(found.train["stage"] != "III", "II").where(found.train.index > 2, "III")
    inside = found.rows.assign(marker=low, age=float(found.train["age"].median()))
    said = replace(found, train=found.train.assign(stage=few), rows=inside).exposed(11)
    assert "1 level that" in said and "0 of 2 numeric" in said
    assert "1 of 2 numeric" in replace(found, rows=inside.assign(marker=high + 1)).exposed(11)


def test_a_question_without_a_score_counts_against_the_table():
    lost = [scores.failed("privacy", "singling_out_risk", "2 predicates single out a synthetic row")]
    frame = scores.to_frame(lost, dataset="t", generator="arf", split=0)
    verdict = privacy_verdict.judge(frame, "arf", Resampling(0.95, 0.5))
    assert [f.good for f in verdict.findings] == [False, False, False]
    assert "not measured (2 predicates single out a synthetic row)" in verdict.findings[2].sentence
    assert privacy_verdict.missing(frame, "arf") == ["memorisation", "membership attacks"]


def test_wide_intervals_of_few_splits_count_against_the_table():
    """The same means over two splits and over forty; unclear is not safe."""
    near = {"memorisation": 0.1, "mia_auroc_distance": 0.51, "singling_out_risk": 0.01}

    def verdict(count):
        parts = []
        for split in range(count):
            off = 0.03 if split % 2 else -0.03
            made = [scores.Score("privacy", name, value + off, 50, "down") for name, value in near.items()]
            parts.append(scores.to_frame(made, dataset="t", generator="arf", split=split))
        return privacy_verdict.judge(pd.concat(parts), "arf", Resampling(0.95, 0.25))

    few, many = verdict(2), verdict(40)
    assert not any(f.good for f in few.findings[1:]) and all(f.good for f in many.findings)
    assert "none of 1 attacks finds train rows, but of 1 the AUROC is not surely below" in few.findings[1].sentence
