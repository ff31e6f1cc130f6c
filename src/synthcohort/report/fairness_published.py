"""What does the study of balanced synthesis report on the tables and attributes that ours answer to?

[Yang 2024, arXiv 2404.08254], released result files (`assess/eval/learning`), CatBoost on the real test rows, means of
three seeds: AUROC, demographic parity ratio, equalized odds ratio. `original`, as in the paper's tables: the classifier
learns from the synthetic rows as they are; `uniform`, not in the paper: the sensitive columns of the synthetic rows are
replaced by levels drawn at random before it learns. Their COMPAS is another table than ours (see its page).
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Yang et al. 2024, arXiv 2404.08254, released result files"
BALANCED = ("fairtabddpm",)  # our arms that answer with balanced rows; the others answer with rows as observed
OURS = {  # the method of the paper -> our arm
    "Real": "resampled", "SMOTE": "smote", "TabDDPM": "tabddpm", "TabSyn": "tabsyn", "FairTGAN": "tab_fair_gan",
    "FairTabDDPM": "fairtabddpm",
}  # fmt: skip


@dataclass(frozen=True)
class Published:
    """One published row.

    Args:
        method: the paper's name for it.
        original, uniform: AUROC, demographic parity ratio, equalized odds ratio, by either protocol.
    """

    method: str
    original: tuple[float, float, float]
    uniform: tuple[float, float, float]


ROWS: dict[tuple[str, str], tuple[Published, ...]] = {  # (table, attribute) -> rows
    ("adult", "sex"): (
        Published("Real", (0.928, 0.309, 0.193), (0.928, 0.307, 0.192)),
        Published("CoDi", (0.858, 0.293, 0.247), (0.858, 0.345, 0.328)),
        Published("GOGGLE", (0.740, 0.833, 0.882), (0.738, 0.838, 0.879)),
        Published("GReaT", (0.901, 0.249, 0.155), (0.900, 0.256, 0.169)),
        Published("SMOTE", (0.914, 0.321, 0.254), (0.914, 0.331, 0.276)),
        Published("STaSy", (0.885, 0.261, 0.182), (0.883, 0.304, 0.240)),
        Published("TabDDPM", (0.907, 0.261, 0.156), (0.906, 0.281, 0.191)),
        Published("TabSyn", (0.911, 0.281, 0.178), (0.910, 0.286, 0.182)),
        Published("FairCB", (0.915, 0.286, 0.192), (0.914, 0.305, 0.227)),
        Published("FairTGAN", (0.881, 0.554, 0.697), (0.885, 0.481, 0.544)),
        Published("FairTabDDPM", (0.893, 0.543, 0.667), (0.895, 0.503, 0.580)),
    ),
    ("adult", "race"): (
        Published("Real", (0.928, 0.260, 0.053), (0.928, 0.242, 0.141)),
        Published("CoDi", (0.858, 0.209, 0.189), (0.858, 0.324, 0.401)),
        Published("GOGGLE", (0.740, 0.763, 0.743), (0.738, 0.795, 0.780)),
        Published("GReaT", (0.901, 0.139, 0.028), (0.900, 0.192, 0.165)),
        Published("SMOTE", (0.914, 0.212, 0.239), (0.914, 0.251, 0.245)),
        Published("STaSy", (0.885, 0.071, 0.000), (0.883, 0.190, 0.076)),
        Published("TabDDPM", (0.907, 0.155, 0.067), (0.906, 0.219, 0.180)),
        Published("TabSyn", (0.911, 0.197, 0.034), (0.910, 0.232, 0.233)),
        Published("FairCB", (0.915, 0.228, 0.109), (0.914, 0.285, 0.314)),
        Published("FairTGAN", (0.881, 0.270, 0.222), (0.885, 0.278, 0.250)),
        Published("FairTabDDPM", (0.893, 0.236, 0.230), (0.895, 0.168, 0.162)),
    ),
    ("bank_marketing", "age_group"): (
        Published("Real", (0.936, 0.402, 0.367), (0.936, 0.415, 0.368)),
        Published("CoDi", (0.826, 0.189, 0.172), (0.827, 0.402, 0.556)),
        Published("GOGGLE", (0.737, 0.533, 0.542), (0.729, 0.666, 0.715)),
        Published("GReaT", (0.688, 0.572, 0.380), (0.690, 0.622, 0.405)),
        Published("SMOTE", (0.928, 0.405, 0.381), (0.928, 0.413, 0.359)),
        Published("STaSy", (0.895, 0.468, 0.451), (0.894, 0.532, 0.542)),
        Published("TabDDPM", (0.917, 0.337, 0.334), (0.917, 0.341, 0.339)),
        Published("TabSyn", (0.919, 0.336, 0.317), (0.918, 0.319, 0.285)),
        Published("FairCB", (0.907, 0.719, 0.801), (0.907, 0.623, 0.680)),
        Published("FairTGAN", (0.863, 0.338, 0.158), (0.873, 0.812, 0.567)),
        Published("FairTabDDPM", (0.914, 0.710, 0.649), (0.913, 0.690, 0.631)),
    ),
    ("compas", "sex"): (
        Published("Real", (0.810, 0.675, 0.645), (0.799, 0.790, 0.857)),
        Published("CoDi", (0.678, 0.855, 0.857), (0.678, 0.901, 0.923)),
        Published("GOGGLE", (0.650, 0.827, 0.807), (0.653, 0.854, 0.878)),
        Published("GReaT", (0.717, 0.624, 0.543), (0.714, 0.814, 0.802)),
        Published("SMOTE", (0.778, 0.648, 0.589), (0.772, 0.777, 0.826)),
        Published("STaSy", (0.728, 0.436, 0.433), (0.722, 0.780, 0.739)),
        Published("TabDDPM", (0.745, 0.558, 0.540), (0.745, 0.750, 0.816)),
        Published("TabSyn", (0.749, 0.697, 0.664), (0.745, 0.815, 0.847)),
        Published("FairCB", (0.771, 0.675, 0.638), (0.765, 0.762, 0.824)),
        Published("FairTGAN", (0.705, 0.448, 0.392), (0.703, 0.692, 0.732)),
        Published("FairTabDDPM", (0.734, 0.800, 0.825), (0.732, 0.781, 0.781)),
    ),
    ("compas", "race"): (
        Published("Real", (0.810, 0.370, 0.323), (0.799, 0.378, 0.361)),
        Published("CoDi", (0.678, 0.556, 0.356), (0.678, 0.640, 0.486)),
        Published("GOGGLE", (0.650, 0.095, 0.000), (0.653, 0.286, 0.205)),
        Published("GReaT", (0.717, 0.500, 0.413), (0.714, 0.527, 0.475)),
        Published("SMOTE", (0.778, 0.492, 0.167), (0.772, 0.490, 0.381)),
        Published("STaSy", (0.728, 0.096, 0.000), (0.722, 0.235, 0.000)),
        Published("TabDDPM", (0.745, 0.327, 0.128), (0.745, 0.265, 0.225)),
        Published("TabSyn", (0.749, 0.418, 0.330), (0.745, 0.459, 0.336)),
        Published("FairCB", (0.771, 0.509, 0.367), (0.765, 0.412, 0.367)),
        Published("FairTGAN", (0.705, 0.380, 0.292), (0.703, 0.419, 0.295)),
        Published("FairTabDDPM", (0.734, 0.573, 0.000), (0.732, 0.362, 0.170)),
    ),
}
