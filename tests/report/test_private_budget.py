"""What a private fit promises is told as it is kept; what a page composes is what a fit composes."""

import math
import re

import pytest

import toys
from synthcohort.dp.budget import Budget
from synthcohort.generators import load as registry
from synthcohort.report import private_budget
from synthcohort.rng import Rng

RNG = Rng(8)
NUMBER = r"[\d.]+(?:e[+-]?\d+)?"


@pytest.mark.parametrize("name", ["dp_vae", "dp_tabddpm", "dp_mtabgen", "dp_flow", "dp_ctgan"])
def test_the_page_composes_what_the_fit_composes(name):
    settings = {"width": 8, "max_steps": 4, "batch_size": 20, "encoder_share": 0.2}
    frame, schema = toys.mixed(80)
    model = registry.build(name, {**settings, "epsilon": 2.0}).fit(frame, schema, rng=RNG)
    told = private_budget.composed(name, settings, budget=Budget.of(2.0, None, 80), n=80)
    numbers = [re.findall(f"noise ({NUMBER}) times", text) for text in (model.composition, told)]
    assert len(numbers[0]) == 2 and numbers[0] == numbers[1]
    assert "gradients, 4 Gaussian steps" in told and "each row in a step with probability 0.25" in told
    assert f"together ε = {model.privacy_spent().epsilon:.4g} by the PRV accountant" in told


def test_a_smaller_budget_is_composed_of_more_noise():
    told = [
        private_budget.composed("dp_vae", {"max_steps": 5}, budget=Budget.of(e, None, 300), n=300) for e in (0.5, 8.0)
    ]
    few, many = ([float(x) for x in re.findall(f"noise ({NUMBER}) times", text)] for text in told)
    assert all(a > b for a, b in zip(few, many, strict=True))


def test_the_share_of_histograms_is_told_of_marginal_methods():
    told = private_budget.composed("mst", {"histogram_share": 0.4}, budget=Budget(1.0, 1e-4), n=300)
    assert told.startswith("40 % of the budget for a histogram of every column")


def test_a_kept_fit_tells_what_it_spent_and_what_its_noise_is_worth(tmp_path):
    frame, schema = toys.categorical(60)
    for cryptographic, word in ((False, "not for release"), (True, "cannot be repeated")):
        model = registry.build("privbayes", {"cryptographic": cryptographic}).fit(frame, schema, rng=RNG)
        said = private_budget.promise(model._state()[1], model.hyperparameters())
        assert said[0].startswith("The fit spent ε = ") and "at δ = 0.0017" in said[0] and "zCDP" in said[0]
        assert "histogram of ward" in said[0] and "\n" not in said[0]
        assert word in said[1] and said[2] == private_budget.UNPAID
    assert math.isclose(model.privacy_spent().delta, 1 / 600)


def test_a_generator_without_privacy_promises_nothing():
    frame, schema = toys.categorical(60)
    model = registry.build("independent", {}).fit(frame, schema, rng=RNG)
    assert private_budget.promise(model._state()[1], model.hyperparameters()) == []
