"""What a notebook puts on its page: nothing for nothing, counts that no line parts, lists that open on a click."""

import pytest

from synthcohort.report import show
from synthcohort.report.tables import MOST_ROOMY, Cell, table
from synthcohort.report.tables_study import best, nobody
from synthcohort.report.verdicts import first


@pytest.fixture
def shown(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(show, "_show", said.append)
    return said


def test_a_list_of_nothing_is_not_shown(shown):
    show.points([])
    show.folded_points("Each", [])
    assert shown == []


def test_a_list_may_open_on_a_click(shown):
    show.folded_points("Each & all", ["`a` < b", "c"])
    assert shown == [
        "<details><summary>Each &amp; all</summary><ul><li><code>a</code> &lt; b</li><li>c</li></ul></details>"
    ]


def test_counts_stay_together_and_words_do_not():
    assert show.text("(0 / 12 / 3) of a / b") == "(0&nbsp;/&nbsp;12&nbsp;/&nbsp;3) of a / b"


def test_ties_are_counted_and_named_behind_a_click():
    assert best("smote", "0.9", []).html() == '<td class="text">smote <small>0.9</small></td>'
    assert best("smote", "0.9", ["table_gan", "vae"]).html() == (
        '<td class="text">smote <small>0.9</small><details><summary>or 2 others</summary>table gan, vae</details></td>'
    )
    assert nobody([]).html() == '<td class="text">none for sure</td>'
    assert "<summary>of 2</summary>arf, vae</details>" in nobody(["arf", "vae"]).html()


def test_sentences_name_the_first_ties_alone():
    assert first(["a", "b", "c", "d_e"]) == "a, b, c, d e"
    assert first(["a", "b", "c", "d", "e"]) == "a, b, c and 2 others"


def test_a_table_of_many_columns_is_set_small():
    row = ["a", *[0.5] * MOST_ROOMY]
    assert table([str(place) for place in range(MOST_ROOMY + 1)], [row]).startswith('<table class="dense">')
    assert table([str(place) for place in range(MOST_ROOMY)], [row[:-1]]).startswith("<table><thead>")
    assert "<details>" not in Cell("a").html()
