"""Breast Cancer Wisconsin (Diagnostic): can a digitised fine needle aspirate tell a malignant mass from a benign one?

569 masses, 30 measures of their cell nuclei. Source: [Wolberg 1995, doi:10.24432/C5DW2B] as carried by scikit-learn,
whose file codes the diagnosis 0 = malignant, 1 = benign and starts with a line of counts instead of a header.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Table, assemble, categorical, numeric

TARGET = "diagnosis"
LEVELS = ("benign", "malignant")
_CODES = {"0": "malignant", "1": "benign"}
_MEASURES = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
)
_MEANINGS = {
    "radius": "distance from centre to perimeter",
    "texture": "standard deviation of grey values",
    "perimeter": "length of the outline",
    "area": "area inside the outline",
    "smoothness": "local variation of the radius",
    "compactness": "perimeter^2 / area - 1",
    "concavity": "depth of the concave parts of the outline",
    "concave points": "number of concave parts, relative",
    "symmetry": "symmetry of the nucleus",
    "fractal dimension": "coastline approximation - 1",
}
_STATISTICS = {
    "mean": "mean over the nuclei of one image",
    "error": "standard error over the nuclei",
    "worst": "mean of the three largest nuclei",
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [569, 31], the last column is the target."""
    entry = CATALOGUE["wdbc"]
    names = [*(f"{statistic} {m}" for statistic in _STATISTICS for m in _MEASURES), TARGET]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", skiprows=1, header=None, names=names)
    parts = [numeric(n, raw[n], meaning=_meaning(n)) for n in names if n != TARGET]
    label = raw[TARGET].map(_CODES)
    parts.append(categorical(TARGET, label, levels=LEVELS, role="target", meaning="diagnosis of the mass"))
    return assemble(parts, "malignant", entry.card)


def _meaning(name: str) -> str:
    statistic, measure = name.split(" ", 1)
    return f"{_MEANINGS[measure]}: {_STATISTICS[statistic]}"
