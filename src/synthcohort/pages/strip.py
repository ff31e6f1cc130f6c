"""What does a notebook look like when it is committed?

Without outputs, execution counts, timings and whatever an editor adds: the pipeline depends on the bytes of the source,
so opening a notebook, running it and saving it must give the same bytes back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def strip(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the committed form of a notebook (nbformat 4 as plain JSON): sources, cell ids and tags only."""
    cells = []
    for cell in notebook["cells"]:
        tags = cell.get("metadata", {}).get("tags", [])
        kept = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {"tags": tags} if tags else {}}
        if cell["cell_type"] == "code":
            kept |= {"execution_count": None, "outputs": []}
        cells.append(kept | {"source": _lines(cell["source"])})
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def dump(notebook: dict[str, Any]) -> str:
    """Return the committed text of a notebook."""
    return json.dumps(strip(notebook), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def strip_file(path: Path) -> bool:
    """Rewrite the notebook at `path` in its committed form; return whether that changed it."""
    before = path.read_text(encoding="utf-8")
    after = dump(json.loads(before))
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def save_stripped(model: dict[str, Any], **_: Any) -> None:
    """Strip what a Jupyter server is about to save (its `pre_save_hook`); the open page keeps its outputs."""
    if model.get("type") == "notebook":
        model["content"] = strip(model["content"])


def _lines(source: str | list[str]) -> list[str]:
    return source.splitlines(keepends=True) if isinstance(source, str) else list(source)
