"""Learners of our own: the cap on a support vector machine's rows, and what it leaves out."""

import numpy as np

from synthcohort.metrics import learners
from synthcohort.metrics.classifiers import PREDICTORS, fit_classifier
from synthcohort.metrics.learners import SupportVectors


def test_support_vectors_learn_from_a_capped_draw(monkeypatch):
    monkeypatch.setattr(learners, "MOST_SUPPORT_ROWS", 60)
    draw = np.random.default_rng(0)
    x, codes = draw.normal(size=(500, 2)), draw.integers(0, 2, 500)
    model = SupportVectors(0).fit(x, codes)
    machine = model.model.calibrated_classifiers_[0].estimator
    assert machine.shape_fit_ == (60, 2)
    assert np.array_equal(model.predict_proba(x), SupportVectors(0).fit(x, codes).predict_proba(x))
    assert not np.array_equal(model.predict_proba(x), SupportVectors(1).fit(x, codes).predict_proba(x))


def test_a_level_the_cap_left_out_has_probability_zero(monkeypatch):
    monkeypatch.setattr(learners, "MOST_SUPPORT_ROWS", 60)
    draw = np.random.default_rng(0)
    codes = np.concatenate([draw.integers(0, 2, 2000), [2]]) * 2  # levels 1 and 3 of five never occur
    fitted = fit_classifier(PREDICTORS["support_vector_machine"], draw.normal(size=(2001, 2)), codes, levels=5, seed=0)
    probabilities = fitted.probabilities(draw.normal(size=(7, 2)))
    assert (probabilities[:, [1, 3, 4]] == 0).all() and (probabilities[:, [0, 2]] > 0).all()
