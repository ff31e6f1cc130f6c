"""The sentinels stand where they must in the committed results: otherwise no metric here could be believed."""

from pathlib import Path

import pandas as pd
import pytest

from synthcohort import study
from synthcohort.comparison.intervals import corrected_interval, load_scores, mean_ranks
from synthcohort.comparison.paired import pairwise
from synthcohort.report import gathering
from synthcohort.report.headlines import HEADLINES

ROOT = Path(__file__).parent.parent
OPENED = study.Study(study.read_params(ROOT / "params.yaml"), study.Paths(ROOT))


@pytest.fixture(params=list(OPENED.params.datasets))
def table(request):
    paths = [OPENED.paths.scores(request.param, generator) for generator in OPENED.generators(request.param)]
    if not paths or not all(path.is_file() for path in paths):
        pytest.skip("this table has no scores here")
    frame = load_scores(paths)
    if frame.empty:
        pytest.skip("this table was not run")
    return frame[frame["condition"] == "as_observed"]


def mean(frame, generator, metric):
    return frame.loc[(frame["generator"] == generator) & (frame["metric"] == metric), "value"].mean()


def test_every_generator_was_judged_on_every_split(table):
    dataset = str(table["dataset"].iloc[0])
    judged = table.groupby("generator")["split"].nunique()
    assert judged.to_dict() == dict.fromkeys(OPENED.generators(dataset), OPENED.splits(dataset))


def test_nothing_is_surely_more_faithful_than_a_resample(table):
    # A resample is drawn from the real rows, so only a generator that smooths their noise away can tie with it.
    ranks = pd.concat(
        [
            mean_ranks(part, HEADLINES["fidelity"], condition="as_observed").assign(split=split)
            for split, part in table.groupby("split")
        ]
    ).pivot_table(index="split", columns="generator", values="mean_rank")
    for name in ranks.columns.drop("bootstrap"):
        gain = corrected_interval((ranks["bootstrap"] - ranks[name]).to_numpy(), gathering.resampling(OPENED))
        assert not gain.low > 0, f"{name} ranks surely before the bootstrap"  # from one split nothing is sure


def test_a_resample_stands_among_the_two_most_faithful(table):
    ranks = mean_ranks(table, HEADLINES["fidelity"], condition="as_observed").set_index("generator")["mean_rank"]
    assert ranks.rank()["bootstrap"] <= 2


def test_bootstrap_has_the_worst_privacy(table):
    memorised = {g: mean(table, g, "memorisation") for g in table["generator"].unique()}
    assert max(memorised, key=memorised.get) == "bootstrap"
    assert memorised["bootstrap"] > 0.99


def test_independent_has_good_marginals_and_gives_itself_away(table):
    methods = [g for g in table["generator"].unique() if g not in ("independent", "bootstrap")]
    ahead = pairwise(table, "shape", gathering.resampling(OPENED)).set_index(["first", "second"])
    for name in methods:
        first, second = sorted((name, "independent"))
        row = ahead.loc[(first, second)]
        assert not (row["low"] if first == name else -row["high"]) > 0.002, f"{name} has surely better marginals"
    assert mean(table, "independent", "trend") < mean(table, "bootstrap", "trend")
    assert mean(table, "independent", "c2st_xgboost") > max(0.58, mean(table, "bootstrap", "c2st_xgboost") + 0.1)


@pytest.mark.parametrize("attack", ["distance", "domias", "logan", "monte_carlo"])
def test_attacks_find_the_members_that_a_resample_holds_and_none_in_fresh_rows(table, attack):
    # A resample holds 1 - 1/e = 63 % of the members: they are found, the others are told by a coin: .5 + .63 / 2 = .82.
    assert 0.75 < mean(table, "bootstrap", f"mia_auroc_{attack}") < 0.88
    real = OPENED.paths.scores(table["dataset"].iloc[0], "real")
    assert abs(mean(load_scores([real]), "real", f"mia_auroc_{attack}") - 0.5) < 0.08


@pytest.mark.parametrize("table", ["pima"], indirect=True)
def test_a_classifier_learns_from_diffused_rows_nearly_as_from_real_ones(table):
    real = load_scores([OPENED.paths.scores("pima", "real")])
    on_real = mean(real, "real", "trtr_auroc_xgboost")
    assert on_real - mean(table, "tabddpm", "tstr_auroc_xgboost") <= 0.03
    assert mean(table, "tabddpm", "memorisation") <= 0.4


@pytest.mark.parametrize("table", ["adult"], indirect=True)
def test_diffused_rows_of_a_large_table_are_faithful_and_cheap(table):
    assert mean(table, "tabddpm", "shape") >= 0.98
    assert mean(table, "tabddpm", "trend") >= 0.97
    assert mean(table, "tabddpm", "tstr_auroc_xgboost") >= 0.905
