"""Which settings of a generator are tried, one after the other?

A tree-structured Parzen estimator [Bergstra 2011] over the choices that params.yaml names, from Optuna. Every generator
gets the same number of trials, each a different setting, on the same rows under the same objective:

- the first trial is the first choice of every hyperparameter, where the search begins, so that what is found is never
  worse than that under the objective. It is fixed in `search`, not read from `generators`: that line changes when a
  found setting is adopted, and the search would not repeat itself;
- the next are drawn at random until `STARTUP` trials have succeeded;
- the others are the estimator's suggestion. A setting that was tried is not tried again: an untried one is drawn in
  its stead, because equal budgets mean equally many settings seen.

A setting whose fit costs more than the budget fails, with that as its reason: all methods are compared at one budget.

Every fit and every judgement takes the same randomness in every trial, so that two trials differ by their settings.
The estimator is seeded anew for each trial, from its number: a search that was interrupted goes on with the trials it
would have made. Finished trials are kept in Optuna's journal under a stamp of all that decides what a trial gives.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial
from tqdm import tqdm

from synthcohort import sources
from synthcohort.cells import grouping
from synthcohort.datasets import restricted
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.study import Choice, ParamsError, Study
from synthcohort.tuning import trials
from synthcohort.tuning.objective import Judge, Parts
from synthcohort.tuning.rows import TuningRows, tuning_rows
from synthcohort.tuning.trials import Outcome, Setting, Trial

STARTUP = 4
Space = Mapping[str, Sequence[Choice]]


def tune(study: Study, generator: str) -> list[Trial]:
    """Make every trial of one generator that has not been made, write its files and return all of them.

    Raises:
        ParamsError: if the generator has no search space, no table is named, or a table cannot be used.
    """
    space = space_of(study, generator)
    judges = _judges(study)
    journal, distributions = _journal(study, generator), _distributions(space)
    made = [_from_optuna(frozen, space) for frozen in journal.get_trials(deepcopy=False)]
    rng, wanted = study.rng.branch("tuning", "search", generator), study.params.tuning.trials
    for number in tqdm(range(len(made), wanted), initial=len(made), total=wanted, desc=generator, unit="trial"):
        setting = propose(space, made, rng.branch(number))
        trial = Trial(number, setting, _try(study, generator, setting, judges))
        journal.add_trial(_to_optuna(trial, distributions))
        made.append(trial)
    trials.write(trials.to_frame(made, generator), study.paths.tuning(generator))
    trials.write(trials.costs(made, generator), study.paths.tuning_cost(generator))
    return made


def space_of(study: Study, generator: str) -> Space:
    """Return the choices of every hyperparameter that is searched for one generator.

    Raises:
        ParamsError: if there are none.
    """
    space = study.params.search.get(generator)
    if space is None:
        known = ", ".join(study.params.search) or "nothing"
        raise ParamsError(f"search has no choices for {generator!r}; it has {known}")
    return space


def settings(space: Space) -> list[dict[str, Choice]]:
    """Return every setting of a space, where the search begins first."""
    return [dict(zip(space, choices, strict=True)) for choices in itertools.product(*space.values())]


def propose(space: Space, made: Sequence[Trial], rng: Rng) -> Setting:
    """Return the setting of the next trial, one that was not tried."""
    tried = [dict(trial.setting) for trial in made]
    left = [setting for setting in settings(space) if setting not in tried]
    if not made:
        return left[0]
    suggested = _suggest(space, made, rng.branch("estimator"))
    at = left.index(suggested) if suggested in left else rng.branch("untried").numpy().integers(len(left))
    return left[at]


def _suggest(space: Space, made: Sequence[Trial], rng: Rng) -> dict[str, Choice]:
    """Return what the estimator makes of the trials so far."""
    _quiet()
    sampler = optuna.samplers.TPESampler(seed=rng.integer(), n_startup_trials=STARTUP, multivariate=True)
    memory = optuna.create_study(direction="maximize", sampler=sampler)
    distributions = _distributions(space)
    memory.add_trials([_to_optuna(trial, distributions) for trial in made])
    return memory.ask(distributions).params


def _judges(study: Study) -> dict[str, Judge]:
    """Return the judge of each table."""
    if not study.params.tuning.tables:
        raise ParamsError("tuning.tables names no table; name one or more that the trials are run on")
    rng = study.rng.branch("tuning")
    return {name: Judge.of(tuning_rows(study, name), rng.branch(name, "judge")) for name in study.params.tuning.tables}


def _try(study: Study, generator: str, setting: Setting, judges: Mapping[str, Judge]) -> tuple[Outcome, ...]:
    outcomes: list[Outcome] = []
    for table, judge in judges.items():
        outcomes.append(_measure(study, generator, setting, table, judge))
        if outcomes[-1].reason:
            break
    return tuple(outcomes)


def _measure(study: Study, generator: str, setting: Setting, table: str, judge: Judge) -> Outcome:
    """Fit, draw and judge; what cannot be completed leaves its reason."""
    begin = time.process_time()
    try:
        drawn = _draw(study, generator, setting, table, judge.rows)
    except FitError as error:
        return Outcome(table, None, _reason(study, table, error), time.process_time() - begin, 0.0)
    middle = time.process_time()
    if middle - begin > study.params.tuning.fit_cpu_seconds:
        reason = f"the fit and its draw took more than {study.params.tuning.fit_cpu_seconds:g} CPU seconds"
        return Outcome(table, None, reason, middle - begin, 0.0)
    try:
        parts, reason = judge.parts(drawn), ""
    except DataProblem as error:
        parts, reason = None, _reason(study, table, error)
    return Outcome(table, parts, reason, middle - begin, time.process_time() - middle)


def _draw(study: Study, generator: str, setting: Setting, table: str, rows: TuningRows) -> pd.DataFrame:
    """Return as many synthetic rows as the generator, in this setting, had train rows."""
    rng = study.rng.branch("tuning", table, "fit", generator)
    model = registry.build(generator, {**study.params.generators.get(generator, {}), **setting})
    model.fit(rows.train, rows.schema, validation=rows.validation, rng=rng.branch("fit"), device=study.device)
    return model.sample(len(rows.train), rng=rng.branch("sample"))


def _reason(study: Study, table: str, error: Exception) -> str:
    """Return why there is no objective, in one line, covered where the table is restricted."""
    said, veil = " ".join(str(error).split()), restricted.veils(study).get(table)
    return said if veil is None else veil.over(said)


def _journal(study: Study, generator: str) -> optuna.Study:
    """Open the finished trials of this search; other settings, rows or code make another search."""
    _quiet()
    place = study.paths.tuning_journal(generator)
    place.parent.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(place)))
    return optuna.create_study(
        study_name=_stamp(study, generator), storage=storage, direction="maximize", load_if_exists=True
    )


def _stamp(study: Study, generator: str) -> str:
    """Return a digest of all that decides what a trial gives: settings, rows, and the code that learns and judges."""
    params = study.params
    blocks = {name: params.datasets[name].model_dump(exclude={"generators"}) for name in params.tuning.tables}
    tables = {name: (block, study.splits(name)) for name, block in blocks.items()}
    block, space = params.generators.get(generator, {}), params.search[generator]
    fixed = {name: value for name, value in block.items() if name not in space}
    said = [generator, params.study.model_dump(), params.tuning.model_dump(exclude={"kept"}), space, fixed, tables]
    digest = hashlib.sha256(json.dumps(said).encode())
    folders = [study.paths.table(name) for name in tables]
    files = [folder / file for folder in folders for file in ("table.csv", "schema.json")]
    groups = [folder / grouping.FILE for folder in folders if (folder / grouping.FILE).is_file()]
    for path in (*files, *groups, *deciding_files(generator)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def deciding_files(generator: str) -> list[Path]:
    """Return the files of the library that decide what a trial gives; `study` hands on settings and is none."""
    here = Path(__file__).resolve()
    plan = sources.Plan(here, (sources.PACKAGE / "generators" / f"{generator}.py",))
    return [here, *(sources.PACKAGE / name for name in sorted(sources.files(plan)))]


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: CategoricalDistribution(choices) for name, choices in space.items()}


def _to_optuna(trial: Trial, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    return create_trial(
        state=TrialState.FAIL if trial.reason else TrialState.COMPLETE,
        value=None if trial.reason else trial.value,
        params=dict(trial.setting),
        distributions=distributions,
        user_attrs={"outcomes": [asdict(outcome) for outcome in trial.outcomes]},
    )


def _from_optuna(frozen: FrozenTrial, space: Space) -> Trial:
    outcomes = tuple(_outcome(record) for record in frozen.user_attrs["outcomes"])
    return Trial(frozen.number, {name: frozen.params[name] for name in space}, outcomes)


def _outcome(record: dict[str, Any]) -> Outcome:
    parts = record["parts"]
    return Outcome(**{**record, "parts": None if parts is None else Parts(**parts)})


def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # its progress is the bar's and the trial file's to tell
