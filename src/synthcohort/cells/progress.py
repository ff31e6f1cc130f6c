"""How does a long cell that was killed go on where it stopped?

What each step of the cell gave is kept in a file of its own as soon as it is known, with a stamp: a digest of all that
decides what the step gives. A file that bears another stamp is not used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[1]


def stamp(settings: object, files: Iterable[Path]) -> str:
    """Return a digest of JSON-able settings, of the bytes of files, and of the library as this process has it."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(_library(SOURCE))
    return digest.hexdigest()


@cache
def _library(folder: Path) -> bytes:
    """Return the digests of the library's files, read once: a file edited later is not what this process has loaded."""
    return b"".join(hashlib.sha256(path.read_bytes()).digest() for path in sorted(folder.rglob("*.py")))


def kept(place: Path, stamp: str) -> dict[str, Any] | None:
    """Return what was kept at `place` under this stamp, None if nothing was."""
    if not place.is_file():
        return None
    held = json.loads(place.read_text(encoding="utf-8"))
    return held["record"] if held["stamp"] == stamp else None


def keep(place: Path, stamp: str, record: dict[str, Any]) -> None:
    """Keep a JSON-able record at `place`; a step that is killed leaves nothing that looks whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(place.name + ".partial")
    partial.write_text(json.dumps({"stamp": stamp, "record": record}, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(place)
