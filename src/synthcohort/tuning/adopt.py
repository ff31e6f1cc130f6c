"""How do the settings that were found get into params.yaml?

The line of each generator in the block `generators` is written anew; comments, order and every other line stay as they
are. The line has the form

    vae: {width: 128, depth: 1}   # a comment

Hyperparameters that were not searched keep their values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from synthcohort.study import ParamsError, Study, read_params
from synthcohort.tuning import trials
from synthcohort.tuning.trials import Setting

_LINE = re.compile(r"^(?P<head> +(?P<name>[a-z][a-z0-9_]*):)[ ]*(?P<block>\{[^{}]*\})?(?P<tail>\s*(#.*)?)$")


def found_settings(study: Study) -> dict[str, Setting]:
    """Return generator -> the setting its search found, of all that have trials, whether the study runs them or not."""
    searched = [name for name in study.params.search if study.paths.tuning(name).is_file()]
    frames = {name: trials.read(study.paths.tuning(name)) for name in searched}
    return {name: trials.setting_of(frame, trials.chosen(frame)) for name, frame in frames.items()}


def lines(study: Study, found: Mapping[str, Setting]) -> list[str]:
    """Return the lines of params.yaml that say what was found, under `generators`."""
    return [f"  {name}: {_flow({**study.params.generators.get(name, {}), **found[name]})}" for name in found]


def adopt(path: Path, found: Mapping[str, Setting]) -> list[str]:
    """Write what was found into params.yaml; return the generators whose line changed.

    Raises:
        ParamsError: if a generator does not stand on one line of its own, or the file would say anything else anew.
    """
    text = path.read_text(encoding="utf-8")
    rows = text.splitlines(keepends=True)
    places = _places(rows)
    changed = []
    for name, setting in found.items():
        if name not in places:
            raise ParamsError(
                f"generators.{name} does not stand on one line such as `{name}: {{width: 128}}` of {path.name}; write "
                f"it so, or write {_flow(setting)} into it by hand"
            )
        before = rows[places[name]]
        rows[places[name]] = _rewritten(before, setting)
        changed += [name] if rows[places[name]] != before else []
    _replace(path, "".join(rows), found)
    return changed


def _places(rows: list[str]) -> dict[str, int]:
    """Return generator -> number of its line in the block `generators`."""
    start = next(i for i, row in enumerate(rows) if row.startswith("generators:"))
    inside = start + 1
    found = {}
    while inside < len(rows) and (not rows[inside].strip() or rows[inside][0] in " #"):
        match = _LINE.match(rows[inside].rstrip("\n"))
        follows = rows[inside + 1] if inside + 1 < len(rows) else ""
        if match and (match["block"] or not _deeper(follows, match["head"])):
            found[match["name"]] = inside
        inside += 1
    return found


def _deeper(row: str, head: str) -> bool:
    """Return whether `row` is indented below the key `head`, so that the key's block goes on there."""
    indent = len(head) - len(head.lstrip())
    return bool(row.strip()) and len(row) - len(row.lstrip()) > indent


def _rewritten(row: str, setting: Setting) -> str:
    match = _LINE.match(row.rstrip("\n"))
    assert match is not None
    block = yaml.safe_load(match["block"]) if match["block"] else {}
    return f"{match['head']} {_flow({**block, **setting})}{match['tail']}\n"


def _flow(block: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(block), default_flow_style=True, sort_keys=False, width=10_000).strip()


def _replace(path: Path, text: str, found: Mapping[str, Setting]) -> None:
    """Write the file if it now says what was found and, besides, what it said before."""
    before = read_params(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    after = read_params(partial)
    generators = {name: {**block, **found.get(name, {})} for name, block in before.generators.items()}
    if after != before.model_copy(update={"generators": generators}):
        partial.unlink()
        raise ParamsError(f"{path.name} could not be edited line by line; write the settings into it by hand")
    partial.replace(path)
