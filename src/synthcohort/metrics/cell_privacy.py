"""Which privacy scores has a sample?

Distances, membership attacks, and the risks of singling out, linking and inferring, each against real rows that no
generator saw.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from synthcohort.metrics import attribute_inference, disclosure, linkability, membership, privacy, singling_out
from synthcohort.metrics.release import Release
from synthcohort.metrics.split import Measure, Sample, Split, owed
from synthcohort.scores import Score


def measures(split: Split, sample: Sample) -> list[Measure]:
    """Return every privacy measure of a sample."""
    train, test, schema, rng, caps = split.train, split.test, split.schema, split.rng, split.metrics

    def distances() -> list[Score]:
        rows, most = split.enough(sample()), caps.max_rows_distance
        return privacy.privacy_scores(train, test, rows, schema, max_rows=most, rng=rng.branch("privacy"))

    def members() -> list[Score]:
        rows, branch = split.enough(sample()), rng.branch("membership")
        most = caps.max_rows_membership
        game = membership.deal(train, split.validation, test, max_rows=most, rng=branch.branch("deal"))
        return membership.membership_scores(game, rows, schema, rng=branch)

    def risk(attack: Callable[..., list[Score]], name: str) -> list[Score]:
        return attack(Release(train, test, sample(), schema), attacks=caps.attacks, rng=rng.branch(name))

    attacks = {
        "singling_out": (singling_out.METRICS, singling_out.singling_out_scores),
        "linkability": (linkability.METRICS, linkability.linkability_scores),
        "attribute_inference": (attribute_inference.METRICS, attribute_inference.attribute_inference_scores),
    }
    return [
        Measure(owed("privacy", privacy.METRICS), distances),
        Measure(owed("privacy", membership.METRICS), members),
        *(Measure(owed("privacy", names), partial(risk, attack, name)) for name, (names, attack) in attacks.items()),
        Measure(
            owed("privacy", disclosure.METRICS),
            lambda: disclosure.disclosure_scores(Release(train, test, sample(), schema)),
        ),
    ]
