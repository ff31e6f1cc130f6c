"""California Housing: what is the median house of a block group worth?

20,640 block groups of the 1990 census, 9 columns, a numeric target. Source: [Pace & Barry 1997] as carried by A. Geron.
The file writes whole numbers as 41.0; an empty cell is a missing number of bedrooms.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.raw_text import shortest
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric

TARGET = "median_house_value"
_NUMERIC = {
    "longitude": ("degrees", "longitude"),
    "latitude": ("degrees", "latitude"),
    "housing_median_age": ("years", "median age of the houses"),
    "total_rooms": ("", "rooms in the block group"),
    "total_bedrooms": ("", "bedrooms in the block group"),
    "population": ("persons", "inhabitants"),
    "households": ("", "households"),
    "median_income": ("10,000 USD", "median income of the households"),
    TARGET: ("USD", "median value of the houses"),
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [20640, 10]; the target is numeric and last but one."""
    entry = CATALOGUE["california"]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False)
    return assemble([_parse(name, raw[name]) for name in raw.columns], "", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name not in _NUMERIC:
        return categorical(name, text, meaning="nearness to the ocean")
    unit, meaning = _NUMERIC[name]
    return numeric(name, shortest(text), unit=unit, meaning=meaning, role="target" if name == TARGET else "feature")
