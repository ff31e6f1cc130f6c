"""How are hundreds of millions of events reduced to a few numbers a stay?

DuckDB keeps the rows of the wanted items, patients and hours and aggregates them while the file passes (`csv_stream`):
memory grows with stays x measures, not with rows. Of the values of one measure at times t in [0, hours) after the start
of a stay: min, mean, max, and last, the value at the largest t (the largest value where several share it).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.csv_stream import MEMORY_GB, ask, read_header
from synthcohort.datasets.mimic_files import wrong_version
from synthcohort.datasets.mimic_measures import FAHRENHEIT, Measure

STATISTICS = ("min", "mean", "max", "last")
_NEEDED = ("subject_id", "itemid", "charttime", "valuenum")
_QUERY = """
SELECT stay, measure, min(v) AS "min", avg(v) AS "mean", max(v) AS "max", max_by(v, {{'t': taken, 'v': v}}) AS "last"
FROM (
    SELECT stays.stay, items.measure, items.low, items.high, stays.intime, CAST(e.charttime AS TIMESTAMP) AS taken,
           (CAST(nullif(e.valuenum, '') AS DOUBLE) - items.shift) / items.scale AS v
    FROM {source} AS e
    JOIN items ON e.itemid = items.itemid
    JOIN stays ON CAST(e.subject_id AS BIGINT) = stays.subject_id
    WHERE SOUND
)
WHERE taken >= intime AND taken < intime + to_hours(HOURS) AND v BETWEEN low AND high
GROUP BY stay, measure ORDER BY stay, measure
"""


def summarise(
    path: Path,
    stays: pd.DataFrame,
    measures: tuple[Measure, ...],
    *,
    hours: int,
    version: int,
    memory_gb: float = MEMORY_GB,
) -> pd.DataFrame:
    """Return the statistics of each measure over the first hours of each stay; prints rows and rate.

    Args:
        path: CHARTEVENTS or LABEVENTS, plain or packed.
        stays: columns stay (any number that tells them apart), subject_id, intime (a time); one row a patient.
        measures: what to look for.
        hours: length of the window from intime on.
        version: of MIMIC, for messages.
        memory_gb: what DuckDB may use; beyond it, it spills to a temporary folder.

    Returns:
        columns stay, measure and STATISTICS; a row for each pair with at least one value.

    Raises:
        TableError: if the file is damaged or of another layout.
    """
    header = read_header(path)
    absent = [name for name in _NEEDED if name not in header]
    if absent:
        raise wrong_version(path, absent, version)
    sound = "coalesce(e.error, '') <> '1'" if "error" in header else "true"
    query = _QUERY.replace("SOUND", sound).replace("HOURS", str(hours))
    answer = ask(path, query, {"items": _items(measures), "stays": stays}, memory_gb=memory_gb)
    print(f"{path.name}: {answer.rate}", flush=True)
    return answer.frame


def _items(measures: tuple[Measure, ...]) -> pd.DataFrame:
    """Return a row for each item number: its measure, limits, and how its values become those of the unit."""
    rows = [
        (str(item), m.name, m.low, m.high, *((32.0, 1.8) if item in FAHRENHEIT else (0.0, 1.0)))
        for m in measures
        for item in m.items
    ]
    return pd.DataFrame(rows, columns=["itemid", "measure", "low", "high", "shift", "scale"])
