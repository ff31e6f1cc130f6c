"""The sentinels stand where they must in the committed results: otherwise no metric here could be believed."""

from pathlib import Path

import pytest

from synthcohort import study
from synthcohort.comparison.intervals import load_scores, mean_ranks

ROOT = Path(__file__).parent.parent
OPENED = study.Study(study.read_params(ROOT / "params.yaml"), study.Paths(ROOT))
FIDELITY = ["shape", "trend", "mmd", "dimension_wise_probability", "c2st_xgboost"]


@pytest.fixture(params=list(OPENED.params.datasets))
def table(request):
    paths = [OPENED.paths.scores(request.param, generator) for generator in OPENED.params.generators]
    if not all(path.is_file() for path in paths):
        pytest.skip("this table has no scores here")
    frame = load_scores(paths)
    if frame.empty:
        pytest.skip("this table was not run")
    return frame[frame["condition"] == "as_observed"]


def mean(frame, generator, metric):
    return frame.loc[(frame["generator"] == generator) & (frame["metric"] == metric), "value"].mean()


def test_bootstrap_has_the_best_fidelity(table):
    ranks = mean_ranks(table, FIDELITY, condition="as_observed").set_index("generator")["mean_rank"]
    assert ranks.idxmin() == "bootstrap"


def test_bootstrap_has_the_worst_privacy(table):
    memorised = {g: mean(table, g, "memorisation") for g in table["generator"].unique()}
    assert max(memorised, key=memorised.get) == "bootstrap"
    assert memorised["bootstrap"] > 0.99


def test_independent_has_good_marginals_and_gives_itself_away(table):
    methods = [g for g in table["generator"].unique() if g not in ("independent", "bootstrap")]
    assert mean(table, "independent", "shape") >= max(mean(table, g, "shape") for g in methods) - 0.002
    assert mean(table, "independent", "trend") < mean(table, "bootstrap", "trend")
    assert mean(table, "independent", "c2st_xgboost") > max(0.58, mean(table, "bootstrap", "c2st_xgboost") + 0.1)
