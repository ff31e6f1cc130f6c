"""A page whose question nobody put says which setting puts it, and each of those settings exists."""

import pytest

from synthcohort.report import asked
from synthcohort.study import Params

BARE = {"study": {"seed": 1}, "datasets": {"toy": {}}, "generators": {"independent": {}}}
ASKS = {
    "few_steps": {"few_steps": {"imputed_tables": ["toy"], "imputers": ["mtabgen"]}},
    "impute": {"imputation": {"tables": ["toy"], "imputers": {"mice": {}}}},
    "ablations": {"imputation": {"tables": ["toy"], "imputers": {"mice": {}}}},
    "width": {"width": {"methods": {"mice": {}}}},
    "scale": {"scale": {"tables": ["toy"]}},
    "fair": {"fairness": {"tables": {"toy": ["sex"]}, "generators": {"bootstrap": {}}}},
    "frontier": {"frontier": {"tables": ["toy"], "families": {"mst": {}}}},
    "audit": {"audit": {"tables": ["toy"], "families": {"mst": {}}}},
}


@pytest.mark.parametrize("page", asked.SETTINGS)
def test_a_question_is_put_by_its_own_setting(page):
    silent, put = Params.model_validate(BARE), Params.model_validate(BARE | ASKS[page])
    assert not asked.is_asked(silent, page) and asked.is_asked(put, page)
    assert asked.no_answer(silent, page).startswith(f"Not asked in this run: `{asked.SETTINGS[page][0]}`")
    assert asked.no_answer(put, page).startswith(f"No answer yet: what `{asked.SETTINGS[page][0]}`")


def test_a_page_without_a_setting_is_always_asked():
    assert asked.is_asked(Params.model_validate(BARE), "faithful")
