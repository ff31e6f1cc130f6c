"""Which questions does params.yaml put, and which setting would put the others?

A question is put by naming tables or methods under a block of its own. A page whose block names none says so in one
passage, and the index leads to it no more.
"""

from __future__ import annotations

from operator import attrgetter

from synthcohort.study import Params

SETTINGS: dict[str, tuple[str, ...]] = {
    "few_steps": ("few_steps.tables", "few_steps.imputed_tables"),
    "impute": ("imputation.tables",),
    "ablations": ("imputation.tables",),
    "width": ("width.methods",),
    "scale": ("scale.tables",),
    "fair": ("fairness.tables",),
    "frontier": ("frontier.tables",),
    "audit": ("audit.tables",),
}


def is_asked(params: Params, page: str) -> bool:
    """Return whether params.yaml puts the question of a page; a page without a setting of its own is always asked."""
    return page not in SETTINGS or any(attrgetter(setting)(params) for setting in SETTINGS[page])


def no_answer(params: Params, page: str) -> str:
    """Return what a page without an answer says: why, and how to have one."""
    settings = " or ".join(f"`{setting}`" for setting in SETTINGS[page])
    what = "method" if SETTINGS[page][0].endswith("methods") else "table"
    if is_asked(params, page):
        return (
            f"No answer yet: what {settings} in params.yaml names has no scores. `synthcohort study` makes them and "
            "this page."
        )
    return (
        f"Not asked in this run: {settings} in params.yaml names no {what}. Name one there, beside the words that say "
        "what it costs, and `synthcohort study` makes the scores and this page."
    )
