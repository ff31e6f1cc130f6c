"""How did the losses fall in one cell?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

COLUMNS = ["generator", "split", "step", "loss", "validation_loss"]


def read_history(folder: Path, generator: str, splits: int) -> pd.DataFrame:
    """Return the history files of one cell's folder as one tidy frame with `COLUMNS`; no rows if it keeps none."""
    parts = []
    for split in range(splits):
        path = folder / f"split_{split}" / "history.csv"
        if path.is_file() and path.stat().st_size > 1:  # a generator without steps writes an empty line
            parts.append(pd.read_csv(path).assign(generator=generator, split=split))
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS) if parts else pd.DataFrame(columns=COLUMNS)
