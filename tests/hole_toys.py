"""A prepared table with holes, for the stages that fill hidden cells."""

import numpy as np

import toys
from synthcohort.cells import holes
from synthcohort.schema import write_frame

HOLE = ("age", 3)  # a hole of the table itself, in row 3 of every part


def write_splits(paths):
    """Write two splits of the table `toy` as the stage `prepare` leaves them: 100 train rows, 20, and 80 test rows."""
    frame, schema = toys.mixed(200)
    for folder in (paths.development("toy"), paths.test("toy")):
        folder.mkdir(parents=True)
        schema.to_json(folder / "schema.json")
    for split in range(2):
        parts = {"train": frame.iloc[:100], "validation": frame.iloc[100:120], "test": frame.iloc[120:]}
        raw = {name: part.reset_index(drop=True) for name, part in parts.items()}
        for name, part in raw.items():
            folder = paths.test("toy") if name == "test" else paths.development("toy")
            write_frame(part, folder / f"split_{split}" / f"{name}.csv")
            part.loc[HOLE[1], HOLE[0]] = np.nan
        holes.write(raw, paths.holes("toy") / f"split_{split}")
