"""Whom does a classifier take for a synthetic row?

`logan`: train a classifier to tell synthetic rows from other real rows, the reference; the score of a target is its
probability of being synthetic, the black-box attack without the generator's own discriminator [Hayes 2019].
A generator that repeats what it learned makes the classifier remember its training rows as synthetic.

Departs: the classifier is an ensemble of extremely randomised trees [Geurts 2006] grown until every leaf is pure on all
rows, not a neural discriminator. It has to remember rows: every tree gives an exact copy of a synthetic row the
probability 1, while cuts at random places separate a new row from its synthetic neighbours in some tree. Boosted trees
of any depth smooth over single rows and score 0.7 to 0.8 where copies should be plain; a bootstrap would hide a third
of the rows from each tree. The two classes weigh the same whatever their sizes.

A new row amid synthetic rows only is taken for one of them as well, so the attack weakens where the reference is far
smaller than the synthetic table: on a mixed table of five columns copies score 0.99 with two synthetic rows for each
reference row and about 0.93 with four.
"""

from __future__ import annotations

import numpy as np
from sklearn.tree import ExtraTreeClassifier
from sklearn.utils.class_weight import compute_sample_weight

from synthcohort.metrics.attacks_scene import Scene
from synthcohort.metrics.matrix import tree_features
from synthcohort.rng import Rng

TREES = 200


def logan_attack(scene: Scene, rng: Rng) -> np.ndarray:
    """Return the probability that each target is synthetic rather than real, [n] in [0, 1]."""
    made, known, asked = (
        tree_features(part, scene.schema.columns).astype(np.float32)
        for part in (scene.synthetic, scene.reference, scene.targets)
    )
    features = np.concatenate([made, known])  # [m + r, P + Q]
    labels = np.repeat([1.0, 0.0], [len(made), len(known)])  # [m + r]
    weights, total = compute_sample_weight("balanced", labels), np.zeros(len(asked))
    for number in range(TREES):  # one at a time: 200 grown trees of 34,000 rows would fill half a gigabyte
        tree = ExtraTreeClassifier(random_state=rng.branch("tree", number).integer())
        tree.fit(features, labels, weights, check_input=False)  # the rows are as a tree wants them, once for all
        total += tree.predict_proba(asked, check_input=False)[:, 1]
    return total / TREES
