"""Can someone with the synthetic table tell who was in the training table?

The game: members are training rows, controls real rows the generator never saw, as many of each. An attacker who holds
the synthetic rows and a reference of other real people gives every target a score, higher = more likely a member.
Four attacks play it: `distance`, `domias`, `monte_carlo` (`attacks_neighbours`) and `logan` (`attacks_logan`).

- `mia_auroc_<attack>`: P(score of a member > score of a control) + P(equal) / 2. Ideal 0.5; exact copies of the
  training rows give 1, a bootstrap resample of them, which holds 63 %, about 0.63 + 0.37 / 2 = 0.82. An area below
  0.5 is no leak, since the attacker fixes the sign of the score beforehand: it is chance, and so no better than 0.5
  in truth. The direction is "down", not "half", so that chance of this kind is not counted as a leak.
- `mia_tpr_at_fpr_1pct_<attack>`, `mia_tpr_at_fpr_0p1pct_<attack>`: the largest share of members with score >= t over
  the thresholds t at which at most 1 %, 0.1 % of the controls have one [Carlini 2022]. A threshold takes all tied
  targets or none. With n controls k = floor(rate n) false positives are allowed; with fewer than 1/rate controls
  that is none at all. Ideal: the guess (k + 1) / (n + 1), the mean without ties where members and controls are alike.
- `mia_f1_distance`: F1 of "member" for targets at most the median distance from their nearest synthetic row, the
  membership inference risk of [Ceritli 2023], whose threshold is not published. Ideal 0.5; exact copies give 1. Ties at
  the median are taken as members, which lifts the ideal of a table of few categorical columns up to 2/3.

Intervals of the areas are those of [DeLong 1988]: with V_i the share of controls below member i (ties half) and W_j the
share of members above control j, Var = var(V) / n_members + var(W) / n_controls. They are cut at 0 and 1, and shrink to
a point where every target ties or every member beats every control. Other scores have none.

Only rows that stand once among all real rows are targets. If two people have the same row, one of them in the training
table, the row is no secret of either; and a rule such as "drop the controls that equal a training row" would leave
members common and controls rare, which alone gives an area above 0.5. As it is, members and controls are
exchangeable for a generator that learns nothing, whatever the duplicates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from synthcohort.fingerprint import fingerprints
from synthcohort.metrics.attacks_logan import logan_attack
from synthcohort.metrics.attacks_neighbours import distance_attack, domias_attack, monte_carlo_attack
from synthcohort.metrics.attacks_scene import Scene
from synthcohort.metrics.matrix import MIN_ROWS, DataProblem, require_rows
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

Attack = Callable[[Scene, Rng], np.ndarray]

ATTACKS: Mapping[str, Attack] = {
    "distance": distance_attack,
    "domias": domias_attack,
    "logan": logan_attack,
    "monte_carlo": monte_carlo_attack,
}
FALSE_POSITIVE_RATES: Mapping[str, float] = {"1pct": 0.01, "0p1pct": 0.001}
CONTROL_SHARE = 2 / 3  # of the test rows; the others join the reference
METRICS = (
    *(f"mia_auroc_{attack}" for attack in ATTACKS),
    *(f"mia_tpr_at_fpr_{name}_{attack}" for attack in ATTACKS for name in FALSE_POSITIVE_RATES),
    "mia_f1_distance",
)


@dataclass(frozen=True)
class Game:
    """Who is who; dealt before any synthetic row is seen.

    Args:
        members: [n, P + Q] rows the generator learned from.
        controls: [n, P + Q] rows it never saw; no row of either equals another real row.
        reference: [r, P + Q] real rows the attacker holds: the validation rows and the test rows that are no control.
    """

    members: pd.DataFrame
    controls: pd.DataFrame
    reference: pd.DataFrame


def deal(train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame, *, max_rows: int, rng: Rng) -> Game:
    """Return the members, the controls and the reference.

    Args:
        train: [n_train, P + Q] rows the generator learned from.
        validation: [n_validation, P + Q] rows it did not learn from.
        test: [n_test, P + Q] rows it never saw.
        max_rows: at most so many members, and as many controls.
        rng: draws them.

    Raises:
        DataProblem: if fewer than `MIN_ROWS` rows of train or test stand once only, or too few are left as reference.
    """
    parts = (train, validation, test)
    once = _stand_once(np.concatenate([fingerprints(part) for part in parts]))
    single = np.split(once, np.cumsum([len(part) for part in parts])[:-1])
    secret, fresh = np.flatnonzero(single[0]), np.flatnonzero(single[2])
    size = min(max_rows, len(secret), len(fresh), math.floor(CONTROL_SHARE * len(test)))
    if size < MIN_ROWS:
        raise DataProblem(
            f"of {len(train)} training rows {len(secret)} and of {len(test)} test rows {len(fresh)} stand once only: "
            f"{size} pairs of a member and a control; an attack needs at least {MIN_ROWS}"
        )
    chosen = rng.branch("controls").numpy().choice(fresh, size=size, replace=False)
    rest = np.setdiff1d(np.arange(len(test)), chosen)
    reference = pd.concat([validation, test.iloc[rest]], ignore_index=True)
    require_rows(reference, "attacker's reference")
    members = train.iloc[rng.branch("members").numpy().choice(secret, size=size, replace=False)]
    return Game(members, test.iloc[chosen], reference)


def membership_scores(
    game: Game, synthetic: pd.DataFrame, schema: Schema, *, rng: Rng, confidence: float = 0.95
) -> list[Score]:
    """Return the scores named in `METRICS`; `n` counts members and controls together.

    Args:
        game: members, controls and the attacker's reference.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of all frames.
        rng: draws what an attack draws.
        confidence: of the intervals of the areas, in (0, 1).
    """
    targets, n = pd.concat([game.members, game.controls], ignore_index=True), len(game.members)
    scene = Scene(targets, synthetic, game.reference, schema)
    found = {name: attack(scene, rng.branch(name)) for name, attack in ATTACKS.items()}
    result = []
    for name, score in found.items():
        members, controls = score[:n], score[n:]
        area, low, high = auroc(members, controls, confidence)
        result.append(Score("privacy", f"mia_auroc_{name}", area, 2 * n, "down", low, high))
        result += [
            Score("privacy", f"mia_tpr_at_fpr_{label}_{name}", true_positives(members, controls, rate), 2 * n, "down")
            for label, rate in FALSE_POSITIVE_RATES.items()
        ]
    near = found["distance"]
    return [*result, Score("privacy", "mia_f1_distance", f1_at_median(near[:n], near[n:]), 2 * n, "down")]


def auroc(members: np.ndarray, controls: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its DeLong interval, cut at 0 and 1.

    Args:
        members: [n] scores, infinite ones allowed, n >= 2.
        controls: [m] scores, m >= 2.
        confidence: of the interval, in (0, 1).
    """
    n, m = len(members), len(controls)
    together = rankdata(np.concatenate([members, controls]))  # [n + m] mid-ranks
    beaten = (together[:n] - rankdata(members)) / m  # [n] share of controls below, ties half
    beating = 1.0 - (together[n:] - rankdata(controls)) / n  # [m] share of members above
    area = float(beaten.mean())
    half = float(norm.ppf((1.0 + confidence) / 2.0)) * math.sqrt(beaten.var(ddof=1) / n + beating.var(ddof=1) / m)
    return area, max(0.0, area - half), min(1.0, area + half)


def true_positives(members: np.ndarray, controls: np.ndarray, rate: float) -> float:
    """Return the largest share of members at or above a threshold that at most `rate` of the controls reach.

    Args:
        members: [n] scores.
        controls: [m] scores.
        rate: false positive rate, in [0, 1).
    """
    allowed = math.floor(rate * len(controls))
    first_refused = np.sort(controls)[::-1][allowed]
    return float((members > first_refused).mean())


def f1_at_median(members: np.ndarray, controls: np.ndarray) -> float:
    """Return F1 of calling a target a member if its score is at least the median of all scores.

    Args:
        members: [n] scores.
        controls: [m] scores.
    """
    cut = np.median(np.concatenate([members, controls]))
    hits, alarms = int((members >= cut).sum()), int((controls >= cut).sum())
    return 2.0 * hits / (hits + alarms + len(members))


def _stand_once(keys: np.ndarray) -> np.ndarray:
    _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return counts[group] == 1  # [n]
