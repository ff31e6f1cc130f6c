"""What do other papers report that a page sets beside our numbers?

Figures as printed or released, none of ours. Tables and settings differ from this study's: they are set beside each
other, never averaged.

- [Islam 2024]: Islam & Akhter 2024, JMLDSAI 1(1):01-05, the table of F1 and the paragraph on MMD.
- [tabpc 2026]: arXiv 2603.23016, released result files on Adult, five trained models a row. C2ST scores there run from
  0, told apart always, to 1, not at all: 2 (1 - AUROC) for an AUROC of at least 1/2.
"""

from __future__ import annotations

IMBALANCE = "Islam & Akhter 2024, JMLDSAI 1(1):01-05"
ADULT = "arXiv 2603.23016 (tabpc), released results on Adult"

# The paper's table -> (rows, share of the minority in %, our tables that answer to it).
IMBALANCE_TABLES: dict[str, tuple[int, float, tuple[str, ...]]] = {
    "MIMIC-III, ICU mortality": (30_000, 8, ("mimic_mortality", "physionet2012")),
    "WBCD": (569, 37, ("wdbc",)),
    "rare liver registry": (2_000, 5, ("rare_liver",)),
}
# The paper's method -> our generator; "real" without added rows.
IMBALANCE_METHODS: dict[str, str] = {
    "original": "real", "SMOTE": "smote", "CTGAN": "ctgan", "VAE": "vae", "TabDDPM": "tabddpm",
}  # fmt: skip
IMBALANCE_F1: dict[str, tuple[float, ...]] = {  # in the order of IMBALANCE_METHODS
    "MIMIC-III, ICU mortality": (0.51, 0.57, 0.62, 0.64, 0.72),
    "WBCD": (0.84, 0.87, 0.89, 0.91, 0.93),
    "rare liver registry": (0.41, 0.48, 0.53, 0.57, 0.66),
}
IMBALANCE_MMD: dict[str, tuple[str, float]] = {  # method -> our generator, MMD; table and kernel not stated
    "SMOTE": ("smote", 0.213),
    "GAN": ("ctgan", 0.152),
    "VAE": ("vae", 0.140),
    "diffusion": ("tabddpm", 0.087),
}
# Method -> (our generator or None, Shape, C2ST score by logistic regression, C2ST score by XGBoost, AUROC of TSTR).
ADULT_ROWS: dict[str, tuple[str | None, float, float, float, float]] = {
    "independent columns": ("independent", 0.996, 1.000, 0.016, 0.516),
    "CTGAN": ("ctgan", 0.809, 0.588, 0.000, 0.862),
    "TVAE": ("tvae", 0.762, 0.229, 0.000, 0.871),
    "TabSyn": (None, 0.992, 0.987, 0.794, 0.910),
    "TabDiff": (None, 0.993, 0.990, 0.841, 0.913),
    "TabPC": (None, 0.994, 0.996, 0.855, 0.916),
}
