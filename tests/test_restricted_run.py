"""What a run on a restricted table leaves behind names no rare level, no extreme number, no unique row.

An invented CSV holds canaries. The notebooks of the pipeline run on it in this process, with everything they show and
every word in their figures kept; then all of that, what the run printed, and all it wrote outside `build` and `data` is
searched. The same search finds the canaries where the table is not restricted.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from synthcohort import scores, site, stages
from synthcohort import study as studies
from synthcohort.cells import hidden
from synthcohort.datasets import fetch
from synthcohort.datasets.table import TableError
from synthcohort.report import show

ROOT = Path(__file__).parent.parent
CANARIES = {
    "rare level": "Zanzibar",
    "unique row": "Lighthouse",
    "largest number": r"(?<![\d.])98[,.]?765",
    "smallest number": r"(?<![\d.])54[,.]?321",
    "few missing cells": r"\b7 of 240\b|\b2\.9 %|>7<",
}
PARAMS = """
study: {{seed: 1, splits: 2, test_share: 0.3, validation_share: 0.2}}
datasets: {{cohort: {{path: cohort.csv, target: died, positive: "yes", restricted: {restricted}}}}}
generators: {{bootstrap: {{}}, independent: {{}}}}
conditions: [as_observed]
imputation:
  tables: [cohort]
  imputers: {{mean_mode: {{}}, mtabgen_mlp: {{width: 8, depth: 1, max_steps: 10, evaluate_every: 5, steps: 2}}}}
  scenarios: [{{mcar: 0.2}}, {{mar: 0.2}}]
  draws: 2
  as_found: true
few_steps: {{imputed_tables: [cohort], imputers: [mtabgen_mlp], evaluations: [2, 3], asked: 3, ancestral: 5, draws: 2}}
metrics:
  classifiers: [xgboost]
  augmentation_classifiers: [xgboost]
  augmentation_shares: [1.0]
  max_rows_pairwise: 60
  max_rows_distance: 60
  max_rows_transport: 60
  attacks: 30
"""


def table() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    n = 240
    age = np.round(draw.normal(50, 12, n)).astype(int)
    frame = pd.DataFrame({"age": age.astype(str), "ward": draw.choice(["north", "south", "east"], n)})
    frame["marker"] = [f"{value:.2f}" for value in draw.normal(5, 1, n) + age / 50]
    frame["lab"] = [f"{value:.1f}" for value in draw.normal(100, 9, n)]
    frame["died"] = np.where(draw.random(n) < 1 / (1 + np.exp(-(age - 55) / 6)), "yes", "no")
    frame.loc[[3, 90, 200], "ward"] = "Zanzibar"
    frame.loc[17, "ward"] = "Lighthouse"
    frame.loc[20, "marker"], frame.loc[33, "marker"] = "98765.43", "-54321.38"
    frame.loc[100:106, "lab"] = ""
    return frame


def begin(folder: Path, *, restricted: bool, frame: pd.DataFrame | None = None) -> studies.Study:
    (folder / "params.yaml").write_text(PARAMS.format(restricted=str(restricted).lower()))
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (table() if frame is None else frame).to_csv(folder / "cohort.csv", index=False)
    return studies.load(folder)


class Shown:
    """Keeps what notebooks show: markup and the words of figures."""

    def __init__(self, monkeypatch):
        self.said: list[str] = []
        monkeypatch.setattr(show, "_show", self.said.append)
        monkeypatch.setattr(show, "picture", self.words)

    def words(self, figure) -> bytes:
        FigureCanvasAgg(figure).draw()  # ticks get their labels
        self.said += [text.get_text() for text in figure.findobj(Text)]
        for axes in figure.axes:
            self.said += [f"axis from {low} to {high}" for low, high in (axes.get_xlim(), axes.get_ylim())]
            for patch in axes.patches:
                stairs = isinstance(patch, StepPatch)
                drawn = patch.get_data() if stairs else (patch.get_x(), patch.get_width(), patch.get_height())
                self.said.append(f"drawn {drawn}")
        return b""

    def run(self, stage: str, **cell: str) -> None:
        path = ROOT / "notebooks" / f"{stages.STAGES[stage].notebook}.ipynb"
        space: dict[str, object] = {}
        for part in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if part["cell_type"] == "code":
                exec("".join(part["source"]), space)
            if "parameters" in part["metadata"].get("tags", []):
                space |= cell


def leaks(texts: list[str]) -> set[str]:
    whole = "\n".join(texts)
    return {name for name, pattern in CANARIES.items() if re.search(pattern, whole)}


def written(study: studies.Study) -> list[str]:
    files = [p for p in study.paths.root.rglob("*") if p.is_file()]
    own = [p for p in files if p.relative_to(study.paths.root).parts[0] not in ("build", "data", "cohort.csv")]
    assert own
    return [p.read_text(encoding="utf-8") for p in own]


@pytest.fixture
def shown(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNTHCOHORT_ROOT", str(tmp_path))
    return Shown(monkeypatch)


def test_nothing_of_a_restricted_table_leaves(tmp_path, shown, capfd):
    study = begin(tmp_path, restricted=True)
    fetch.bring_all(study)
    for stage in ("raw", "prepare", "reference"):
        shown.run(stage, dataset="cohort")
    for stage in ("train", "evaluate"):
        for generator in study.params.generators:
            shown.run(stage, dataset="cohort", generator=generator)
    shown.run("side_by_side", dataset="cohort")
    shown.run("leak")
    shown.run("findings")
    site.write_index(study)
    drawn = (study.paths.trained("cohort", "bootstrap") / "split_0" / "as_observed.csv").read_text(encoding="utf-8")
    assert len(scores.read(study.paths.scores("cohort", "bootstrap"))) > 50 and "north" in drawn
    assert not leaks([*shown.said, *written(study), *capfd.readouterr()])


def test_the_same_search_finds_every_canary_of_a_table_that_is_not_restricted(tmp_path, shown):
    study = begin(tmp_path, restricted=False)
    fetch.bring_all(study)
    for stage in ("raw", "prepare"):
        shown.run(stage, dataset="cohort")
    assert leaks(shown.said) == set(CANARIES)


def test_nothing_of_a_restricted_table_leaves_by_the_study_of_imputation(tmp_path, shown, capfd):
    study = begin(tmp_path, restricted=True)
    fetch.bring_all(study)
    for stage in ("raw", "prepare", "dependence"):
        shown.run(stage, dataset="cohort")
    for imputer in study.params.imputation.imputers:
        shown.run("impute", dataset="cohort", imputer=imputer)
    shown.run("few_steps_impute", dataset="cohort", imputer="mtabgen_mlp")
    for page in ("impute_page", "ablations_page", "few_steps_page"):
        shown.run(page)
    holes = pd.read_csv(study.paths.holes("cohort") / "split_0" / "train.csv")
    assert 0 < len(holes) <= 7 and any("mtabgen_mlp" in said for said in shown.said)
    assert not leaks([*shown.said, *written(study), *capfd.readouterr()])


@pytest.mark.parametrize("restricted", [True, False])
def test_few_holes_are_not_counted(tmp_path, shown, restricted):
    study = begin(tmp_path, restricted=restricted)
    fetch.bring_all(study)
    for stage in ("raw", "prepare"):
        shown.run(stage, dataset="cohort")
    shown.run("impute", dataset="cohort", imputer="mean_mode")
    found = scores.read(study.paths.impute("cohort", "mean_mode"))
    cells = found[~found["metric"].str.startswith("impute_auroc")]
    few = cells[cells["metric"].str.startswith("found_") & ~cells["metric"].str.contains("categorical")]
    if restricted:
        assert (cells["n"] % 11 == 0).all() and (cells["n"] > 0).any()
        assert len(few) == 4 and set(few["note"]) == {hidden.TOO_FEW} and few["value"].isna().all()
    else:
        assert (cells["n"] % 11 > 0).any() and few["n"].between(1, 7).all() and few["value"].notna().all()


@pytest.mark.parametrize("restricted", [True, False])
def test_a_bad_cell_is_not_quoted_by_the_error_it_raises(tmp_path, restricted):
    frame = table()
    frame.loc[9, "age"] = "Lighthouse"
    study = begin(tmp_path, restricted=restricted, frame=frame)
    with pytest.raises(TableError, match="column 'age': text in a numeric column") as caught:
        fetch.bring_all(study)
    assert leaks([str(caught.value)]) == (set() if restricted else {"unique row"})
    assert ("fewer than 11 of 240 cells" in str(caught.value)) == restricted


@pytest.mark.parametrize("restricted", [True, False])
def test_reasons_in_score_files_are_covered(tmp_path, monkeypatch, restricted):
    study = begin(tmp_path, restricted=restricted)
    reason = "column 'died': class 'Lighthouse' has 3 training row(s)"

    def fail(*_, **__):
        lost = [scores.failed("privacy", "memorisation", reason)]
        frame = scores.to_frame(lost, dataset="cohort", generator="bootstrap", split=0)
        scores.write(frame, study.paths.scores("cohort", "bootstrap"))

    monkeypatch.setattr(stages.execute, "execute", fail)
    stages.run(study, "evaluate", {"dataset": "cohort", "generator": "bootstrap"})
    note = scores.read(study.paths.scores("cohort", "bootstrap"))["note"].iloc[0]
    covered = "column 'died': class [withheld] has [withheld] training row(s)"
    assert note == (covered if restricted else reason)


def test_reasons_on_pages_are_covered(tmp_path, shown):
    begin(tmp_path, restricted=True)
    lost = [scores.failed("privacy", "memorisation", "class 'Lighthouse' has 3 rows")]
    for table_name in ("cohort", "another"):
        show.failures(scores.to_frame(lost, dataset=table_name, generator="bootstrap", split=0))
    assert "Lighthouse" not in shown.said[0] and "Lighthouse" in shown.said[1]
