"""A table may name its generators: only these run, only these stand on pages, and a change runs the right cells."""

import json

import pytest

from synthcohort import checks, left_out, release, scores, site, stages, study
from synthcohort.report import findings, gathering

PARAMS = """
study: {seed: 1, splits: 2}
datasets: {whole: , some: {generators: [vae, independent]}, none: {generators: []}}
generators: {independent: , smote: , vae: }
claims:
  vae_over_independent: {source: s, text: t, metric: trend, better: vae, worse: independent}
  vae_over_smote: {source: s, text: t, metric: trend, better: vae, worse: smote}
  real_rows: {source: s, text: t, metric: trend, better: real, worse: real, worse_condition: minority}
"""
KNOWN = ["independent", "smote", "vae"]


@pytest.fixture
def reopen(tmp_path):
    def write(text=PARAMS):
        (tmp_path / "params.yaml").write_text(text)
        (tmp_path / "dvc.yaml").write_text("stages: {}\n")
        return study.load(tmp_path)

    return write


@pytest.fixture
def opened(reopen):
    return reopen()


def fill(opened, dataset, generator, axis="fidelity", metric="trend"):
    found = [
        scores.to_frame(
            [scores.Score(axis, metric, 0.5 + len(generator) / 100, 10, "up")],
            dataset=dataset,
            generator=generator,
            split=k,
        )
        for k in range(2)
    ]
    return scores.pd.concat(found, ignore_index=True)


def scored(opened, pairs):
    for dataset, generator in pairs:
        scores.write(fill(opened, dataset, generator), opened.paths.scores(dataset, generator))
        cost = fill(opened, dataset, generator, "cost", "train_cpu_seconds")
        scores.write(cost, opened.paths.cost(dataset, generator))


def test_a_table_runs_all_generators_or_those_it_names_in_the_order_of_the_study(opened):
    assert opened.generators("whole") == KNOWN
    assert opened.generators("some") == ["independent", "vae"]
    assert opened.generators("none") == []
    assert gathering.compared(opened) == ["whole", "some"]


def test_an_unknown_generator_is_named_with_the_known_ones(reopen):
    wrong = reopen(PARAMS.replace("[vae, independent]", "[vae, ctgann]"))
    for ask in (lambda: wrong.generators("some"), lambda: checks.check(wrong)):
        with pytest.raises(
            study.ParamsError, match=r"datasets.some.generators: no generator 'ctgann'; there are \['ind"
        ):
            ask()


@pytest.mark.parametrize("stage", [*left_out.COMPARED, *left_out.COMPARING])
def test_a_cell_that_is_left_out_holds_its_reason_and_no_result(opened, stage):
    kind = stages.STAGES[stage]
    cell = {"dataset": "none", "generator": "smote"} if "generator" in kind.per else {"dataset": "none"}
    before = [path(opened.paths, *cell.values()) for path in (*kind.folders, *kind.tables, *kind.records)]
    for folder in kind.folders:
        (folder(opened.paths, *cell.values()) / "split_0").mkdir(parents=True)
    for table in kind.tables:
        scores.write(fill(opened, "none", "smote"), table(opened.paths, *cell.values()))
    page = stages.run(opened, stage, cell)
    assert "datasets.none.generators" in page.read_text(encoding="utf-8")
    assert all(path.exists() for path in before)
    for folder in kind.folders:
        assert [p.name for p in folder(opened.paths, *cell.values()).iterdir()] == ["LEFT_OUT.json"]
    for table in kind.tables:
        assert scores.read(table(opened.paths, *cell.values())).empty
    for record in kind.records:
        assert gathering.machine(record(opened.paths, *cell.values())) is None
    assert "datasets.none.generators" in json.loads(opened.paths.executed(stage, *cell.values()).read_text())["reason"]


def test_a_table_that_names_some_leaves_out_the_others_and_no_stage_of_its_own(opened):
    def reason(stage, *cell):
        return left_out.reason(opened, stage, dict(zip(("dataset", "generator"), cell)))

    assert reason("train", "some", "smote") and not reason("train", "some", "vae")
    assert reason("evaluate", "none", "vae") and not reason("evaluate", "whole", "vae")
    assert reason("side_by_side", "none") and not reason("side_by_side", "some")
    assert not any(reason(stage, "none") for stage in ("raw", "prepare", "dependence", "fairness_rivals"))
    assert not reason("fairness", "none", "arf") and not left_out.reason(opened, "width", {"method": "mice"})


def test_a_change_of_the_list_forgets_the_cells_that_join_or_go_and_no_others(opened, reopen):
    for _, cell in left_out._cells(opened):
        for stage in left_out.COMPARED if "generator" in cell else left_out.COMPARING:
            path = opened.paths.executed(stage, *cell.values())
            path.parent.mkdir(parents=True, exist_ok=True)
            note = left_out._note("left out") if left_out.reason(opened, stage, cell) else '{\n "cells": []}'
            path.write_text(note)

    def gone(now):
        left_out.forget(now)
        cells = [(stage, *cell.values()) for stage, cell in left_out._cells(now)]
        return {cell for cell in cells if not now.paths.executed(*cell).is_file()}

    assert gone(opened) == set()
    changed = gone(reopen(PARAMS.replace("[vae, independent]", "[vae, smote]")))
    assert changed == {(s, "some", g) for s in left_out.COMPARED for g in ("smote", "independent")}
    more = gone(reopen(PARAMS.replace("[vae, independent]", "[vae, smote]").replace("[]", "[vae]"))) - changed
    assert more == {(s, "none", "vae") for s in left_out.COMPARED} | {(s, "none") for s in left_out.COMPARING}


def test_an_absent_table_keeps_its_committed_results_even_if_they_are_left_out(opened):
    scored(opened, [("some", "smote")])
    before = opened.paths.scores("some", "smote").read_bytes()
    marker = opened.paths.skipped("some")
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reason": "no route to it", "remedy": "put it there"}))
    stages.run(opened, "evaluate", {"dataset": "some", "generator": "smote"})
    executed = opened.paths.executed("evaluate", "some", "smote")
    left_out.forget(opened)
    assert executed.is_file() and opened.paths.scores("some", "smote").read_bytes() == before


def test_what_is_left_out_is_in_no_frame_and_tests_no_claim(opened):
    """Files of cells that are left out hold numbers here, which must not be read."""
    scored(opened, [(d, g) for d in ("whole", "some", "none") for g in (*KNOWN, "real")])
    read = gathering.all_scores(opened)
    pairs = set(zip(read["dataset"], read["generator"]))
    assert pairs == {("whole", g) for g in (*KNOWN, "real")} | {("some", g) for g in ("independent", "vae", "real")}
    costs = gathering.all_costs(opened)
    assert set(zip(costs["dataset"], costs["generator"])) == {p for p in pairs if p[1] != "real"}
    assert set(gathering.machines(opened)) == {p for p in pairs if p[1] != "real"}
    verdicts = {verdict.name: [one.dataset for one in verdict.tables] for verdict in findings.find(opened).verdicts}
    assert verdicts == {
        "vae_over_independent": ["whole", "some"], "vae_over_smote": ["whole"], "real_rows": ["whole", "some"],
    }  # fmt: skip


def test_a_study_whose_tables_compare_nothing_has_empty_frames(reopen):
    opened = reopen("study: {seed: 1}\ndatasets: {none: {generators: []}}\ngenerators: {vae: }\n")
    assert gathering.all_scores(opened).empty and gathering.all_costs(opened).empty
    assert findings.find(opened).answers == ()


def test_a_question_to_rows_that_are_left_out_is_refused(reopen):
    for text, message in (
        ("few_steps: {tables: [none], generators: [vae]}\n", "few_steps.generators: vae is not run on none; name it"),
        (
            "frontier: {tables: [some], families: {smote: {counterpart: smote}}}\n",
            "frontier.families: smote is not run on",
        ),
        (
            "claims: {c: {source: s, text: t, metric: m, better: smote, worse: real, tables: [some]}}\n",
            "claims.c: smote is not run on some; name it under datasets.some.generators",
        ),
    ):
        with pytest.raises(study.ParamsError, match=message):
            checks.check(reopen(PARAMS.partition("claims:")[0] + text))
    with pytest.raises(study.ParamsError, match=r"smote is not run on some; .*some\.generators: independent, vae"):
        release.release(reopen(), release.Order("some", "smote", 0, None, ""))


def test_the_index_links_no_comparison_where_there_is_none(opened):
    listed = site._tables(opened, {"tables": {}})
    assert "tables/some.html" in listed and "raw/none.html" in listed and "tables/none.html" not in listed
