"""What the page on wide tables says: exponents, errors over the best, memory against its limit."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.figures import width as figures
from synthcohort.report import width as page
from synthcohort.scores import Score, failed

PARAMS = """
study: {seed: 1, splits: 3}
datasets: {toy: {}}
generators: {independent: {}}
width: {columns: [8, 32, 128], rows: 100, repetitions: 3, draws: 5, methods: {mtabgen: , mean_mode: }}
"""
WIDTHS = (8, 32, 128)


def tidy(method, law, repetition):
    """Seconds grow as the square of the columns, memory as 40 MB each; the error is 1.5 of the best, falling to 1.1."""
    found, costs = [], []
    for columns in WIDTHS:
        here = f"columns_{columns}"
        over = {8: 1.5, 32: 1.2, 128: 1.1}[columns]
        metric = "impute_mae_median" if law == "numbers" else "impute_accuracy"
        for condition, factor in ((here, over), (f"best_{columns}", 1.0)):
            wrong = 0.1 * factor
            value = wrong if law == "numbers" else 1 - wrong
            found.append(Score("imputation", metric, value, 9, "down", condition=condition))
        found += [Score("fidelity", m, 0.9, 9, "up", condition=here) for m in ("shape", "trend") if method == "mtabgen"]
        noise = 1 + 0.01 * repetition
        costs.append(Score("cost", "fit_cpu_seconds", 0.01 * noise * columns**2, 100, "down", condition=here))
        costs.append(Score("cost", "impute_cpu_seconds", 0.5 * columns, 100, "down", condition=here))
        costs.append(Score("cost", "peak_memory_bytes", 4e7 * columns, 100, "down", condition=here))
    return [scores.to_frame(part, dataset=law, generator=method, split=repetition) for part in (found, costs)]


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    opened = studies.load(tmp_path)
    for method in ("mtabgen", "mean_mode"):
        both = [tidy(method, law, k) for law in ("numbers", "codes") for k in range(3)]
        scores.write(pd.concat([one for one, _ in both]), opened.paths.width(method))
        scores.write(pd.concat([one for _, one in both]), opened.paths.width_cost(method))
    return opened


def test_exponents_are_slopes_in_logarithms(study):
    numbers, codes = page.find(study)
    assert [numbers.law, codes.law] == ["numbers", "codes"] and numbers.names == ["mean_mode", "mtabgen"]
    assert numbers.exponent("mtabgen", "fit_cpu_seconds").mean == pytest.approx(2.0)
    assert numbers.exponent("mtabgen", "impute_cpu_seconds", widest=2).mean == pytest.approx(1.0)
    assert numbers.exponent("mtabgen", "fit_cpu_seconds").tables == 3
    assert math.isnan(numbers.exponent("mtabgen", "sample_cpu_seconds").mean)


def test_the_error_is_over_that_of_the_best_point_for_numbers_and_for_codes(study):
    for case in page.find(study):
        for columns, over in ((8, 1.5), (32, 1.2), (128, 1.1)):
            assert case.at("mtabgen", page.EXCESS, columns).mean == pytest.approx(over)


def test_the_answer_names_growth_memory_and_quality(study):
    answer = page.find(study)[0].answer("mtabgen")
    assert answer == (
        "mtabgen, a normal copula, 8 to 128 columns: the seconds of a fit grow as columns^a, a = 2.000 [2.000, 2.000]. "
        "At 128 columns a fit takes 165.5 CPU seconds and 5.12 GB, beyond 4 GB. Point error over the law's best: 1.500 "
        "[1.500, 1.500] at 8, 1.100 [1.100, 1.100] at 128; Shape: 0.900 [0.900, 0.900] at 8, 0.900 [0.900, 0.900] at "
        "128; Trend: 0.900 [0.900, 0.900] at 8, 0.900 [0.900, 0.900] at 128."
    )


def test_the_first_sentence_says_who_stays_within_the_memory(study):
    own = scores.read(study.paths.width_cost("mean_mode"))
    scores.write(own.assign(value=own["value"] / 2), study.paths.width_cost("mean_mode"))
    assert page.headline(page.find(study)) == (
        "Largest memory of a process that fits, completes and draws tables of 128 columns, within 4 GB: mean mode; "
        "beyond 4 GB: mtabgen."
    )


def test_the_page_is_about_the_widths_that_are_asked_for(study):
    assert page.subject(study.params.width) == "Simulated tables of 8 to 128 columns"


def test_tables_have_a_row_per_method_and_per_width(study):
    case = page.find(study)[0]
    assert case.exponents().count("<tr>") == 1 + 2 and "2.00 <small>" in case.exponents()
    markup = case.every()
    assert markup.count("<tr>") == 1 + 2 * 3 and "Peak memory, GB" in markup and "5.12 <small>" in markup
    assert "nan" not in markup + case.exponents() + case.every_note() + case.exponents_note()
    assert "20 % of the cells of 20 other rows" in case.every_note() and "3 repetitions" in case.figure_note()


def test_a_method_that_failed_on_wide_tables_is_named_with_its_reason(study):
    own = scores.read(study.paths.width("mtabgen"))
    kept = own[~own["condition"].str.endswith("128")]
    lost = [failed("imputation", "impute_mae_median", "no memory", condition="columns_128")]
    more = [scores.to_frame(lost, dataset="numbers", generator="mtabgen", split=k) for k in range(3)]
    scores.write(pd.concat([kept, *more]), study.paths.width("mtabgen"))
    case = page.find(study)[0]
    assert page.failures(case) == ["mtabgen, a normal copula: not completed from 128 columns on: no memory."]


def test_figures_have_a_panel_each_on_logarithmic_axes(study):
    case = page.find(study)[0]
    titles = {m: page.title(m) for m in case.known(page.COSTS)}
    figure = figures.costs(case.means(), titles=titles, heading="H", limits=page.LIMITS)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(titles.values()) and len(figure.axes) == 3
    assert all(axes.get_xscale() == axes.get_yscale() == "log" for axes in figure.axes)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["mean mode", "mtabgen"]
    (line,) = [line for line in figure.axes[0].lines if line.get_color() == "#1414f0"]
    assert list(line.get_xdata()) == list(WIDTHS)
    titles = {m: page.title(m) for m in case.known(page.QUALITY)}
    plain = figures.quality(case.means(), titles=titles, heading="H", limits=page.IDEALS)
    assert {axes.get_yscale() for axes in plain.axes} == {"linear"} and len(plain.axes) == 3


def test_without_scores_there_is_no_case(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    assert page.find(studies.load(tmp_path)) == []


def test_the_page_knows_every_law_and_everything_that_a_cell_writes():
    from synthcohort.cells import width
    from synthcohort.datasets import latent_factors

    assert list(page.LAWS) == list(latent_factors.LAWS) == studies.WidthBlock().laws == list(width.ERRORS)
    assert {*page.SECONDS} == {width.FIT_SECONDS, width.IMPUTE_SECONDS, width.SAMPLE_SECONDS}
    assert width.PEAK == page.PEAK and set(width.FIDELITY) < set(page.QUALITY)
