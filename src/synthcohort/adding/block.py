"""How is a block of params.yaml written, with a reason behind every line?

Each key and value stands on one line, quoted where YAML would read it as something else, so that any name a file can
have survives: blanks at its ends, a colon, a line break, letters of any script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

_ENDLESS = 10**9  # columns of a line before YAML would break it


def as_text(value: Any) -> str:
    """Return one value as YAML writes it on one line."""
    if isinstance(value, list):
        return f"[{', '.join(as_text(item) for item in value)}]"
    broken = isinstance(value, str) and value != "" and value.splitlines() != [value]
    style = {"default_style": '"'} if broken else {}
    text = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=_ENDLESS, **style)
    return text.strip()[1:-1]


def scalar(key: str, value: Any, why: str) -> str:
    """Return the line of one setting."""
    return f"    {key}: {as_text(value)}  # {why}"


def listed(key: str, items: Mapping[str, str]) -> list[str]:
    """Return the lines of a list, value -> reason; none if it is empty."""
    return _under(key, {f"- {as_text(item)}": why for item, why in items.items()})


def entries(key: str, items: Mapping[Any, tuple[Any, str]]) -> list[str]:
    """Return the lines of a mapping, name -> (value, reason); none if it is empty."""
    return _under(key, {f"{as_text(name)}: {as_text(value)}": why for name, (value, why) in items.items()})


def _under(key: str, lines: Mapping[str, str]) -> list[str]:
    """Return the lines below `key`, each with its reason; one that two or more share stands behind the key instead."""
    reasons = set(lines.values())
    if len(lines) > 1 and len(reasons) == 1:
        return [f"    {key}:  # {reasons.pop()}", *(f"      {line}" for line in lines)]
    return [f"    {key}:", *(f"      {line}  # {why}" for line, why in lines.items())] if lines else []
