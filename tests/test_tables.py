"""Tables on pages: text is escaped, numbers keep their meaning, cells of restricted tables stay hidden."""

import math

import pandas as pd
import pytest

import toys
from synthcohort.datasets.table import Card
from synthcohort.report import captions, show, tables


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.12345, "0.123"),
        (0.00004, "4e-5"),
        (0.0, "0.000"),
        (math.nan, "–"),
        (12345.6, "12,346"),
        (40.0, "40"),
        (1.0, "1.000"),
    ],
)
def test_numbers(value, shown):
    assert tables.number(value) == shown


def test_text_is_escaped_everywhere():
    made = tables.table(["<head>"], [[tables.Cell("<b>", "<i>", badge="x")], ["<u>"]])
    assert not any(tag in made for tag in ("<head>", "<b>", "<i>", "<u>")) and "&lt;u&gt;" in made
    assert show.text("`a<b>` & c") == "<code>a&lt;b&gt;</code> &amp; c"


def test_the_best_method_is_marked_and_sentinels_never_are():
    rows = [("bootstrap", 0.99), ("vae", 0.8), ("smote", 0.9), ("real", 1.0)]
    frame = pd.DataFrame(rows, columns=["generator", "mean"]).assign(metric="shape", low=math.nan, high=math.nan)
    made = tables.side_by_side(frame, {"shape": "up"})
    assert 'class="best">0.900' in made and made.count('"best"') == 1 and 'class="sentinel">0.990' in made


@pytest.mark.parametrize(("direction", "best"), [("up", {"a"}), ("down", {"b"}), ("half", {"c"}), ("zero", {"b"})])
def test_best_follows_the_direction(direction, best):
    assert tables.best_of({"a": 0.9, "b": 0.1, "c": 0.45, "lost": math.nan}, direction) == best


def test_a_restricted_table_shows_no_bound_no_level_and_no_small_count():
    frame, schema = toys.mixed(60)
    frame.loc[:4, "age"] = math.nan
    frame["stage"] = frame["stage"].where(frame.index > 3, "III").where(frame.index < 4, "II")  # 4 rows of III
    shown, hidden = (tables.columns(frame, schema, restricted=r) for r in (False, True))
    assert f"{schema['marker'].high:g}" in shown and "II, III" in shown and "8.3 %" in shown
    assert f"{schema['marker'].high:g}" not in hidden and "III" not in hidden and tables.RARE in hidden
    assert tables.FEW in hidden and "8.3 %" not in hidden


def test_shares_of_parts_are_withheld_together_and_few_duplicates_too():
    sizes = pd.DataFrame({"split": 0, "part": ["train", "test"], "rows": [100, 40], "distinct": [98, 40]})
    sizes["positive"] = [0.25, 0.25]
    hidden, shown = (tables.split_sizes(sizes, restricted=r) for r in (True, False))
    assert "25.00 %" not in hidden and "98" not in hidden and hidden.count(tables.FEW) == 3
    assert shown.count("25.00 %") == 2 and "98" in shown


def test_a_simulated_table_is_called_so_in_its_title_and_its_notice():
    card = Card("made_up", "A registry", "us", (), "any", "none", simulated=True)
    assert "simulated" in captions.subject(card) and "describe no real patient" in captions.notices(card)[0]
    assert captions.subject(Card("a", "A registry", "us", (), "any", "none")) == "A registry (a)"
    assert captions.subject(Card("mine", "mine", "us", (), "any", "none")) == "mine"
