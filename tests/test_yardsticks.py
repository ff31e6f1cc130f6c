"""The table of floors and ceilings: where each generator stands, and what is said where there is no scale."""

import pandas as pd

from synthcohort.comparison.intervals import Resampling
from synthcohort.report.yardsticks import yardsticks, yardsticks_note

HOW = Resampling(confidence=0.95, test_to_train=0.25)


def _rows(generator, metric, values, axis="fidelity", direction="up"):
    return [
        {"dataset": "t", "generator": generator, "condition": "as_observed", "split": k, "axis": axis,
         "metric": metric, "value": value, "n": 50, "direction": direction, "note": ""}
        for k, value in enumerate(values)
    ]  # fmt: skip


def test_floor_ceiling_noise_and_position():
    frame = pd.DataFrame(
        _rows("real", "trend", [0.9, 0.92, 0.91])
        + _rows("independent", "trend", [0.5, 0.52, 0.51])
        + _rows("vae", "trend", [0.7, 0.72, 0.71])
        + _rows("vae", "unknown_end", [0.7, 0.7, 0.7])
    )
    found = yardsticks(frame, ["trend", "unknown_end", "absent"], HOW)
    cells = [part.split("<")[0] for part in found.split("<td")[1:]]
    assert [c.split(">")[1] for c in cells] == ["Trend", "0.510", "0.910", "0.010", "0.50"]
    assert "vae" in found and "unknown" not in found


def test_no_position_where_the_ends_do_not_differ():
    frame = pd.DataFrame(
        _rows("real", "shape", [0.9, 0.99, 0.95])
        + _rows("independent", "shape", [0.95, 0.9, 0.99])
        + _rows("vae", "shape", [0.9, 0.9, 0.9])
    )
    assert yardsticks(frame, ["shape"], HOW).count("–") == 1
    assert "bootstrap" in yardsticks_note("privacy") and "independent" in yardsticks_note("fidelity")
