"""Which private generators can stand on the frontier and in the audit?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcohort.generators import load as registry
from synthcohort.study import Params, ParamsError


def check(params: Params) -> None:
    """Refuse families that are not private, cannot be built with a budget, or whose counterpart is not in the study.

    Where no table is named nothing is asked of them, so that a shorter study needs no shorter list of families.

    Raises:
        ParamsError: naming the family and what is wrong with it.
    """
    known = list(params.generators)
    for name, family in params.frontier.families.items() if params.frontier.tables else ():
        if family.counterpart and family.counterpart not in known:
            raise ParamsError(
                f"frontier.families.{name}: its counterpart {family.counterpart!r}, whose rows stand at epsilon = inf, "
                f"is none of the study's generators {known}"
            )
        if family.counterpart != name:
            _check_private("frontier", name, {**family.settings, "epsilon": params.frontier.epsilons[0]})
    for name, settings in params.audit.families.items() if params.audit.tables else ():
        _check_private("audit", name, {**settings, "epsilon": params.audit.epsilons[0]})


def _check_private(block: str, name: str, hyperparameters: Mapping[str, Any]) -> None:
    try:
        able = "private" in registry.find(name).abilities
        if able:
            registry.build(name, dict(hyperparameters))
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"{block}.families.{name}: {error}") from None
    if not able:
        raise ParamsError(f"{block}.families: {name} is not private; name generators with the ability 'private'")
