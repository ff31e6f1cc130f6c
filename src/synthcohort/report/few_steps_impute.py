"""How few evaluations of the network fill a hidden cell well? What the page on few evaluations says of it.

The cases are those of `report.few_steps`, with the scores of an imputer and one solver more.
"""

from __future__ import annotations

import pandas as pd

from synthcohort.comparison.intervals import Resampling, load_scores
from synthcohort.report import few_steps, gathering
from synthcohort.report.few_steps import ANCESTRAL, SECOND, Case, Task
from synthcohort.report.impute import hidden
from synthcohort.report.questions import counted
from synthcohort.study import Params, Study

DDIM = "ddim"
SOLVERS = {SECOND: few_steps.SOLVERS[SECOND], ANCESTRAL: few_steps.SOLVERS[ANCESTRAL], DDIM: "implicit steps (DDIM)"}
TITLES = {
    "impute_crps": "CRPS, numeric cells",
    "impute_mae_median": "Error of the median, numeric cells",
    "impute_coverage_gap": "Coverage gap of 90 % intervals",
    "impute_wasserstein_numeric": "Wasserstein, numeric columns",
    "impute_brier": "Brier score, categorical cells",
    "impute_accuracy": "Accuracy, categorical cells",
    "impute_wasserstein_categorical": "Wasserstein, categorical columns",
}


def find(study: Study) -> list[Case]:
    """Return a case for every table and imputer that has scores, in the study's order."""
    block, found = study.params.few_steps, []
    for dataset in block.imputed_tables:
        for imputer in block.imputers:
            scores = few_steps.scores_of(study.paths.few_steps_impute(dataset, imputer))
            if scores is None:
                continue
            costs = load_scores([study.paths.few_steps_impute_cost(dataset, imputer)])
            machine = few_steps.machine_of(study.paths.few_steps_impute_machine(dataset, imputer), dataset, imputer)
            found.append(case(scores, costs, study.params, gathering.resampling(study), machine=machine))
    return found


def case(scores: pd.DataFrame, costs: pd.DataFrame, params: Params, resampling: Resampling, *, machine: str) -> Case:
    """Judge the tidy scores and costs of one cell; a score that no way has is left out."""
    known = scores.groupby("metric")["value"].transform(lambda values: values.notna().any())
    rows, times = int(costs["n"].max()), counted(params.few_steps.draws, "time")
    task = Task(
        name=f"{scores['generator'].iloc[0]} filling {scores['dataset'].iloc[0]}",
        solvers=SOLVERS,
        titles=TITLES,
        drawn=f"{rows:,} test rows a split, {hidden(params.imputation.fitted)}, filled {times}, judged by the truth",
        timed=f"filling {rows:,} rows {times}",
    )
    return few_steps.judge(task, scores[known], costs, block=params.few_steps, resampling=resampling, machine=machine)
