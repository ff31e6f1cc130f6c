"""Do the settings name only what is there?

params.yaml is read by `study`, which knows no other room. Here the rooms themselves say whether they understand the
names and hyperparameters in it: every generator and imputer is built, every condition and table looked up.
"""

from __future__ import annotations

import math

from synthcohort import conditions
from synthcohort.study import ParamsError, Study


def check(study: Study) -> None:
    """Refuse settings that no room understands: generators, hyperparameters and their choices, conditions, tables.

    Raises:
        ParamsError: naming the key, what was found and what is known.
    """
    from synthcohort import parallel
    from synthcohort.cells import families
    from synthcohort.generators import load as registry

    known = {*study.params.generators, "real"}
    for dataset in study.params.datasets:
        study.generators(dataset)
    try:
        for name, hyperparameters in study.params.generators.items():
            registry.build(name, hyperparameters)
        for name in study.params.conditions:
            conditions.find(name)
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"params.yaml: {error}") from None
    parallel.check(study.params.parallel)
    _check_tables(study, "shadow", study.params.shadow.tables)
    _check_few_steps(study)
    _check_few_steps_imputed(study)
    _check_imputation(study)
    _check_width(study)
    _check_fairness(study)
    _check_guidance(study)
    _check_tables(study, "frontier", study.params.frontier.tables)
    _check_tables(study, "audit", study.params.audit.tables)
    families.check(study.params)
    for family in study.params.frontier.families.values():
        if family.counterpart:
            _check_runs(study, "frontier.families", study.params.frontier.tables, family.counterpart)
    _check_tables(study, "scale", study.params.scale.tables)
    _check_tables(study, "tuning", study.params.tuning.tables)
    for name in study.params.search:
        _check_search(study, name)
    for name in study.params.tuning.kept:
        if name not in study.params.search:
            raise ParamsError(f"tuning.kept: {name!r} is not searched; search has {list(study.params.search)}")
    for name, claim in study.params.claims.items():
        _check_tables(study, f"claims.{name}", claim.tables)
        for arm in (claim.better, claim.worse):
            if arm not in known:
                raise ParamsError(f"claims.{name}: no generator {arm!r}; there are {sorted(known)}")
            if arm != "real":
                _check_runs(study, f"claims.{name}", claim.tables, arm)


def _check_tables(study: Study, block: str, tables: list[str], *, key: str = "tables") -> None:
    for table in tables:
        if table not in study.params.datasets:
            raise ParamsError(f"{block}.{key}: no dataset {table!r}; there are {list(study.params.datasets)}")


def _check_runs(study: Study, block: str, tables: list[str], generator: str) -> None:
    """Refuse a question to rows of a generator on a table that leaves it out."""
    for table in tables:
        if generator not in study.generators(table):
            raise ParamsError(
                f"{block}: {generator} is not run on {table}; name it under datasets.{table}.generators, or leave "
                f"{table} out"
            )


def _check_few_steps(study: Study) -> None:
    """Refuse cells that cannot be drawn from with another solver."""
    from synthcohort.cells import few_steps

    block, known = study.params.few_steps, study.params.generators
    _check_tables(study, "few_steps", block.tables)
    for name in block.generators if block.tables else []:
        if name not in known:
            raise ParamsError(f"few_steps.generators: no generator {name!r}; there are {list(known)}")
        _check_runs(study, "few_steps.generators", block.tables, name)
        missing = few_steps.missing_options(name)
        if missing:
            able = [other for other in known if not few_steps.missing_options(other)]
            raise ParamsError(
                f"few_steps.generators: {name} has no sampling option {missing[0]!r}, so its solver cannot be chosen; "
                f"of the generators here, these can: {', '.join(able) or 'none'}"
            )


def _check_few_steps_imputed(study: Study) -> None:
    """Refuse cells whose holes cannot be filled with another solver."""
    from synthcohort.cells import few_steps_imputing

    block, known = study.params.few_steps, study.params.imputation.imputers
    _check_tables(study, "few_steps", block.imputed_tables, key="imputed_tables")
    for name in block.imputers:
        if name not in known:
            raise ParamsError(f"few_steps.imputers: no {name!r} under imputation.imputers; there are {list(known)}")
        missing = few_steps_imputing.missing_options(name)
        if missing:
            able = [other for other in known if not few_steps_imputing.missing_options(other)]
            raise ParamsError(
                f"few_steps.imputers: {name} has no sampling option {missing[0]!r}, so its solver cannot be chosen; of "
                f"the imputers here, these can: {', '.join(able) or 'none'}"
            )


def _check_imputation(study: Study) -> None:
    """Build every imputer, so that none fails for its name or a hyperparameter it does not take."""
    from synthcohort.cells import imputers

    _check_tables(study, "imputation", study.params.imputation.tables)
    for name, hyperparameters in study.params.imputation.imputers.items():
        try:
            imputers.build(name, hyperparameters)
        except (LookupError, TypeError, ValueError) as error:
            raise ParamsError(f"imputation.imputers.{name}: {error}") from None


def _check_fairness(study: Study) -> None:
    from synthcohort.generators import load as registry

    _check_tables(study, "fairness", list(study.params.fairness.tables))
    try:
        for name, hyperparameters in study.params.fairness.generators.items():
            registry.build(name, hyperparameters)
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"fairness.generators: {error}") from None


def _check_guidance(study: Study) -> None:
    """Refuse tables that `fairness` does not split, and generators without an option that a curve moves."""
    from synthcohort.cells import guidance
    from synthcohort.generators import load as registry

    block, fair = study.params.guidance, study.params.fairness.tables
    if block.tables and block.splits > study.params.fairness.splits:
        raise ParamsError(f"guidance.splits: {block.splits} of the {study.params.fairness.splits} splits of `fairness`")
    for table, columns in block.tables.items():
        known = fair.get(table, [])
        unknown = [name for name in columns if name not in known]
        if unknown:
            raise ParamsError(f"guidance.tables.{table}: {unknown[0]!r} is not under fairness.tables.{table}: {known}")
    for name, hyperparameters in block.generators.items():
        try:
            registry.build(name, hyperparameters)
        except (LookupError, TypeError, ValueError) as error:
            raise ParamsError(f"guidance.generators.{name}: {error}") from None
        missing = guidance.unknown_options(name, block)
        if missing:
            options = ", ".join(sorted(registry.find(name).sampling_options)) or "none"
            raise ParamsError(f"guidance.curves: {name} has no sampling option {missing[0]!r}; it has {options}")


def _check_width(study: Study) -> None:
    """Build every method, so that none fails for its name or a hyperparameter it does not take."""
    from synthcohort.cells import width

    for name, hyperparameters in study.params.width.methods.items():
        try:
            width.build(name, hyperparameters)
        except (LookupError, TypeError, ValueError) as error:
            raise ParamsError(f"width.methods.{name}: {error}") from None


def _check_search(study: Study, name: str) -> None:
    """Build the generator with every choice, so that no trial fails for a hyperparameter it does not take."""
    from synthcohort.generators import load as registry

    space, trials = study.params.search[name], study.params.tuning.trials
    begin = {**study.params.generators.get(name, {}), **{key: choices[0] for key, choices in space.items()}}
    try:
        for key, choices in space.items():
            for choice in choices:
                registry.build(name, {**begin, key: choice})
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"params.yaml: search.{name}: {error}") from None
    settings = math.prod(len(choices) for choices in space.values())
    if settings < trials:
        raise ParamsError(
            f"search.{name} has {settings} different settings, fewer than tuning.trials = {trials}; every generator is "
            f"to have the same number of trials: name more choices, or lower tuning.trials"
        )
