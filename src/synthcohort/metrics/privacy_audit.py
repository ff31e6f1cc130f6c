"""How much privacy has a mechanism lost at least, as far as one run of it can tell?

m canaries are each put among the rows by a fair coin, S_i = 1 if in and -1 if out. Who holds the output scores every
canary, higher for more likely in, and guesses: the highest scores are in, the lowest out, and of those between nothing
is said. If the mechanism is (epsilon, delta)-private for rows that are added or removed, then of r guesses at least v
are right with a probability of at most [Steinke 2023, section 5 and appendix D]

    p = f(v) + 2 m delta max_{1 <= i <= v} (f(v - i) - f(v)) / i,
    f(k) = P[Binomial(r, e^epsilon / (1 + e^epsilon)) >= k].

The largest epsilon with p at most 1 - confidence is refused with that confidence, and so is every smaller one: it is
the lower bound. With delta = 0 it is the bound of Clopper and Pearson on the accuracy of randomised response. All
canaries stand in one run, so that one fit gives one bound.

How many guesses are best depends on the mechanism. `SHARES` of the canaries are tried, under every attack there is,
each at (1 - confidence) divided by their number, and the highest bound counts [Bonferroni]: this stays a bound.

A bound of 0 says that these attacks found nothing, not that there is nothing to find. No bound can exceed the ceiling
that right guesses on all canaries would give: a claim above it cannot be refuted with so few canaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom

from synthcohort.rng import Rng

SHARES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of the canaries that are guessed on; fixed before any audit was run
PRECISION = 1e-6  # of a bound


@dataclass(frozen=True)
class Bound:
    """What an audit found.

    Args:
        epsilon: the lower bound, >= 0.
        canaries: m.
        guesses: r of the attack and share that gave the bound.
        correct: right guesses among them.
        attack: its name.
        ceiling: the bound if all guesses on all canaries had been right.
    """

    epsilon: float
    canaries: int
    guesses: int
    correct: int
    attack: str
    ceiling: float


def coins(canaries: int, rng: Rng) -> np.ndarray:
    """Return which canaries are in, [m] bool, each by a fair coin."""
    return rng.numpy().random(canaries) < 0.5


def guess(scores: np.ndarray, number: int) -> np.ndarray:
    """Return the guesses, [m]: 1 in, -1 out, 0 no guess.

    Args:
        scores: [m], higher for more likely in; of equal ones, the earlier canary is taken for out.
        number: how many guesses, half of them "in" (rounded up), at most m.
    """
    order = np.argsort(scores, kind="stable")
    guesses = np.zeros(len(scores), dtype=np.int64)
    guesses[order[len(scores) - (number + 1) // 2 :]] = 1
    guesses[order[: number // 2]] = -1
    return guesses


def p_value(canaries: int, guesses: int, correct: int, *, epsilon: float, delta: float) -> float:
    """Return how probable so many right guesses are at most, under (epsilon, delta)-privacy.

    Args:
        canaries: m.
        guesses: r, 1 <= r <= m.
        correct: v, 0 <= v <= r.
        epsilon: >= 0.
        delta: in [0, 1].
    """
    accuracy = 1.0 / (1.0 + np.exp(-epsilon))
    tail = float(binom.sf(correct - 1, guesses, accuracy))  # f(v)
    if delta == 0 or correct == 0:
        return min(1.0, tail)
    steps = np.arange(1, correct + 1)
    slope = float(np.max((binom.sf(correct - steps - 1, guesses, accuracy) - tail) / steps))
    return min(1.0, tail + 2.0 * canaries * delta * slope)


def lower_bound(canaries: int, guesses: int, correct: int, *, delta: float, confidence: float) -> float:
    """Return the largest epsilon that so many right guesses refuse, 0 if they refuse none.

    Args:
        canaries, guesses, correct, delta: as in `p_value`.
        confidence: of the bound, in (0, 1).

    Raises:
        ValueError: if the numbers cannot be those of an audit.
    """
    if not 0 <= correct <= guesses <= canaries or guesses < 1:
        raise ValueError(f"{correct} right of {guesses} guesses on {canaries} canaries: not a possible outcome")
    if not 0 <= delta <= 1 or not 0 < confidence < 1:
        raise ValueError(f"delta={delta} must lie in [0, 1] and confidence={confidence} between 0 and 1")

    def excess(epsilon: float) -> float:
        return p_value(canaries, guesses, correct, epsilon=epsilon, delta=delta) - (1.0 - confidence)

    if excess(0.0) > 0:
        return 0.0
    top = 1.0
    while excess(top) <= 0:
        top *= 2.0
    return max(0.0, float(brentq(excess, 0.0, top, xtol=PRECISION)) - PRECISION)


def audit(attacks: Mapping[str, np.ndarray], inside: np.ndarray, *, delta: float, confidence: float) -> Bound:
    """Return the highest bound over all attacks and shares of guesses, each at its part of the error.

    Args:
        attacks: name -> scores [m], higher for more likely in, finite; fixed before `inside` was seen.
        inside: [m] bool, which canaries were in.
        delta: of the claim that is tested.
        confidence: of the bound.

    Raises:
        ValueError: if an attack has another number of scores than there are canaries, or one that is not finite.
    """
    for name, scores in attacks.items():
        if scores.shape != inside.shape or not np.isfinite(scores).all():
            raise ValueError(
                f"attack {name!r} must give one finite score for each of the {len(inside)} canaries, "
                f"found {scores.shape} with {int((~np.isfinite(scores)).sum())} that are not finite"
            )
    numbers = sorted({max(1, round(share * len(inside))) for share in SHARES})
    part = 1.0 - (1.0 - confidence) / (len(attacks) * len(numbers))
    truth = np.where(inside, 1, -1)
    ceiling = lower_bound(len(inside), len(inside), len(inside), delta=delta, confidence=part)
    found = []
    for name, scores in attacks.items():
        for number in numbers:
            correct = int((guess(scores, number) == truth).sum())
            epsilon = lower_bound(len(inside), number, correct, delta=delta, confidence=part)
            found.append(Bound(epsilon, len(inside), number, correct, name, ceiling))
    return max(found, key=lambda bound: (bound.epsilon, bound.guesses))
