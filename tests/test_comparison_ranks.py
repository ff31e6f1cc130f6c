"""Friedman and Nemenyi against a published example, scipy and hand computation; tables that do not count are named."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from synthcohort.comparison.ranks import cliques, critical_difference, over_tables, rank_test

# AUROC of four learners on 14 data sets [Demsar 2006, table 6]; the paper's mean ranks: 3.143, 2.000, 2.893, 1.964.
# They were made before rounding: 0.97501 stands for a printed 0.975 that the paper ranks before its neighbour.
PUBLISHED = pd.DataFrame(
    [
        (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
        (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
        (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
        (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.97501, 0.975), (0.957, 0.978, 0.946, 0.970),
    ],
    columns=["plain", "m", "cf", "m_cf"],
)  # fmt: skip


def frame_of(values, direction="up"):
    """Return tidy scores from (dataset, generator, metric) -> values over splits."""
    rows = [
        {"dataset": d, "generator": g, "metric": m, "condition": "as_observed", "split": split, "axis": "fidelity",
         "value": value, "direction": direction, "note": ""}
        for (d, g, m), own in values.items()
        for split, value in enumerate(own)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def three_tables(metric="m"):
    return {
        (d, g, metric): [base + shift, base + shift]
        for d, shift in (("d", 0.0), ("e", 0.1), ("f", 0.2))
        for g, base in (("a", 0.7), ("b", 0.6), ("c", 0.5))
    }


@pytest.mark.parametrize(
    ("k", "n", "confidence", "expected"),
    [(4, 14, 0.95, 1.25), (4, 14, 0.90, 1.12), (2, 10, 0.95, 1.960 * math.sqrt(6 / 60)),
     (10, 30, 0.95, 3.164 * math.sqrt(110 / 180))],
)  # fmt: skip
def test_critical_difference_of_the_published_tables(k, n, confidence, expected):
    assert critical_difference(k, n, confidence=confidence) == pytest.approx(expected, abs=0.005)


def test_the_published_example():
    found = rank_test(PUBLISHED, confidence=0.90)
    ranks = dict(zip(found.generators, found.mean_ranks, strict=True))
    assert ranks == pytest.approx({"m_cf": 1.964, "m": 2.000, "cf": 2.893, "plain": 3.143}, abs=0.001)
    assert found.generators == ("m_cf", "m", "cf", "plain")
    assert found.cliques == (("m_cf", "m", "cf"), ("cf", "plain"))  # the paper: plain differs from m and m_cf
    ties = (3 * (2**3 - 2) + (4**3 - 4)) / (14 * 4 * (4**2 - 1))
    assert found.statistic == pytest.approx(9.28 / (1 - ties), abs=0.02)  # the paper's has no correction for ties
    wider = rank_test(PUBLISHED, confidence=0.95)  # the paper: then not even the best differs from the worst
    assert wider.cliques == (("m_cf", "m", "cf", "plain"),)


def test_statistic_by_hand_and_against_scipy():
    # 3 tables rank 1 2 3, one 2 1 3: rank sums 5 7 12; 12 / (4 * 3 * 4) * (25 + 49 + 144) - 3 * 4 * 4 = 6.5
    wide = pd.DataFrame([(3, 2, 1), (3, 2, 1), (3, 2, 1), (2, 3, 1)], columns=list("abc"))
    found = rank_test(wide, confidence=0.95)
    assert found.statistic == pytest.approx(6.5) and found.p == pytest.approx(math.exp(-6.5 / 2))
    assert found.mean_ranks == (1.25, 1.75, 3.0)
    for table in (wide, PUBLISHED):
        expected = friedmanchisquare(*table.to_numpy().T)
        got = rank_test(table, confidence=0.95)
        assert (got.statistic, got.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_two_generators_and_ties_everywhere():
    two = rank_test(pd.DataFrame({"a": [2, 2, 2, 1], "b": [1, 1, 1, 2]}), confidence=0.95)
    assert two.statistic == pytest.approx((2 * 3 - 4) ** 2 / 4)  # the sign test's square
    same = rank_test(pd.DataFrame(np.ones((3, 3)), columns=list("abc")), confidence=0.95)
    assert (same.statistic, same.p, same.cliques) == (0.0, 1.0, (("a", "b", "c"),))


def test_p_is_calibrated_when_no_generator_is_better():
    draw = np.random.default_rng(0)
    p = [rank_test(pd.DataFrame(draw.normal(size=(20, 4))), confidence=0.95).p for _ in range(300)]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.05)


def test_cliques_are_maximal_and_a_difference_equal_to_the_critical_one_counts():
    assert cliques("abcd", [1.0, 1.5, 2.5, 4.0], 1.2) == (("a", "b"), ("b", "c"))
    assert cliques("abcd", [1.0, 1.5, 2.0, 4.0], 1.2) == (("a", "b", "c"),)
    assert cliques("ab", [1.0, 2.0], 1.0) == ()
    assert cliques("abc", [1.0, 1.1, 1.2], 5.0) == (("a", "b", "c"),)


def test_too_few_tables_or_generators_give_no_test_and_say_so():
    few = rank_test(pd.DataFrame({"a": [2, 2], "b": [1, 1]}), confidence=0.95)
    assert math.isnan(few.p) and math.isnan(few.critical_difference) and few.cliques == ()
    assert "2 table(s)" in few.reason and few.mean_ranks == (1.0, 2.0)
    alone = rank_test(pd.DataFrame({"a": [2, 2, 1]}), confidence=0.95)
    assert "1 generator(s)" in alone.reason
    with pytest.raises(ValueError, match="no number"):
        rank_test(pd.DataFrame({"a": [2, math.nan, 1], "b": [1, 1, 1]}), confidence=0.95)
    with pytest.raises(ValueError, match="confidence is 95"):
        rank_test(PUBLISHED, confidence=95)


def test_scores_are_ranked_by_direction_and_real_takes_no_part():
    values = three_tables()
    values |= {(d, "real", "m"): [1.0, 1.0] for d in "def"}
    assert over_tables(frame_of(values), ["m"], confidence=0.95).generators == ("a", "b", "c")
    down = over_tables(frame_of(values, direction="down"), ["m"], confidence=0.95)
    assert down.generators == ("c", "b", "a") and down.mean_ranks == (1.0, 2.0, 3.0)
    assert down.tables == ("d", "e", "f") and down.left_out == () and down.reason == ""


def test_several_metrics_are_averaged_within_a_table():
    values = three_tables() | {key: [-v for v in own] for key, own in three_tables("n").items()}
    found = over_tables(frame_of(values), ["m", "n"], confidence=0.95)
    assert found.mean_ranks == (2.0, 2.0, 2.0) and found.p == 1.0  # first on one, last on the other


def test_nobody_gains_by_failing_where_the_table_is_hard():
    values = three_tables()
    for d in "def":
        values[(d, "a", "m")] = [0.99, 0.1]
        values[(d, "b", "m")] = [0.98, math.nan]
        values[(d, "c", "m")] = [0.5, 0.4]
    assert over_tables(frame_of(values), ["m"], confidence=0.95).generators == ("a", "b", "c")


def test_a_table_without_a_shared_split_is_left_out_and_named():
    values = three_tables() | {("g", "a", "m"): [0.3, 0.4], ("g", "b", "m"): [math.nan, 0.2]}
    found = over_tables(frame_of(values), ["m"], confidence=0.95)
    assert found.tables == ("d", "e", "f")
    assert (
        len(found.left_out) == 1 and found.left_out[0].startswith("g: no split of m") and "c has 0" in found.left_out[0]
    )
    lost = {key: [math.nan, math.nan] if key[1] == "b" else own for key, own in three_tables().items()}
    none = over_tables(frame_of(lost), ["m"], confidence=0.95)
    assert none.tables == () and "no table has all scores" in none.reason


def test_a_metric_not_defined_on_a_table_is_left_out_there_for_all():
    values = three_tables() | {key: [-v for v in own] for key, own in three_tables("n").items()}
    values |= {key: [math.nan, math.nan] for key in values if key[0] == "f" and key[2] == "n"}
    found = over_tables(frame_of(values), ["m", "n"], confidence=0.95)
    assert found.tables == ("d", "e", "f") and found.mean_ranks == pytest.approx((5 / 3, 2.0, 7 / 3))


def test_metrics_must_be_there():
    with pytest.raises(ValueError, match="no score of"):
        over_tables(frame_of(three_tables()), ["m", "absent"], confidence=0.95)
    with pytest.raises(ValueError, match="no metric"):
        over_tables(frame_of(three_tables()), [], confidence=0.95)
