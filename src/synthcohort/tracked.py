"""Which settings must params.yaml state, although they have a default?

DVC compares the settings that a stage of dvc.yaml names, and refuses to run the stage if one is not written down; a
matrix over a key that is not there makes it refuse the whole file. Neither knows the defaults of `study`. So what is
missing is named here, with the default to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from synthcohort.study import ParamsError, Study

_KEY = re.compile(r"\$\{([\w.]+)\}")


def check(study: Study) -> None:
    """Refuse a params.yaml that leaves out what the stages of its dvc.yaml track.

    A setting is not asked for where the stages that track it have no cell, such as those of `few_steps` without tables.

    Raises:
        ParamsError: listing every line to write.
    """
    missing = absent(study)
    if missing:
        lines = "\n  ".join(f"{key}: {_default(study, key)}" for key in missing)
        raise ParamsError(
            "params.yaml leaves out settings that dvc.yaml tracks; DVC demands them, default or not. Write these "
            f"(a dot stands for a block), or other values:\n  {lines}"
        )


def absent(study: Study) -> list[str]:
    """Return the keys that DVC would miss, in the order of the stages."""
    stated = _read(study, "params.yaml")
    wanted: dict[str, None] = {}
    for stage in _read(study, "dvc.yaml").get("stages", {}).values():
        wanted |= dict.fromkeys(_tracked(stage, stated))
    return [key for key in wanted if not _there(stated, key)]


def _tracked(stage: Mapping[str, Any], stated: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of a stage's matrix and, if the matrix has a cell, those of its settings."""
    matrix = [key for values in stage.get("matrix", {}).values() for key in _KEY.findall(str(values))]
    yield from matrix
    if all(_there(stated, key) and _value(stated, key) for key in matrix):
        yield from (key for key in stage.get("params", []) if isinstance(key, str) and "${" not in key)


def _value(stated: Any, key: str) -> Any:
    for part in key.split("."):
        stated = stated[part]
    return stated


def _there(stated: Any, key: str) -> bool:
    try:
        _value(stated, key)
    except (KeyError, TypeError):
        return False
    return True


def _default(study: Study, key: str) -> str:
    """Return what the study takes where nothing is stated, as one line of YAML."""
    found: Any = study.params
    for part in key.split("."):
        found = getattr(found, part)
    plain = found.model_dump(mode="json") if hasattr(found, "model_dump") else found
    return yaml.safe_dump(plain, default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def _read(study: Study, name: str) -> dict[str, Any]:
    return yaml.safe_load((study.paths.root / name).read_text(encoding="utf-8")) or {}
