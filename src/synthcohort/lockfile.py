"""How does DVC keep its record of some hundred cells without spending longer on it than on the cells?

After every cell DVC reads and writes the whole of dvc.lock in a way that keeps comments and quotes, though a record has
none: seconds of processor a cell, more with every cell that is added. `python -m synthcohort.lockfile ARGUMENTS` is
`dvc ARGUMENTS` with that one file read and written plainly, in a fraction of the time. The record holds the same values
in the same order; only long strings are folded elsewhere. Every other file is DVC's own business.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LOCK = "dvc.lock"
Modify = Callable[..., AbstractContextManager[Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run DVC with these arguments, by default the process's own; return its exit code."""
    from dvc import cli, dvcfile

    dvcfile.modify_yaml = hastened(dvcfile.modify_yaml)
    return int(cli.main(list(sys.argv[1:] if arguments is None else arguments)))


def hastened(modify: Modify) -> Modify:
    """Return DVC's way to change a YAML file, but for dvc.lock a quick one.

    Args:
        modify: (path, fs) -> context that yields the file's values and writes them back when it ends.
    """

    @contextmanager
    def quick(path: str, fs: Any = None) -> Iterator[Any]:
        place = Path(path)
        if place.name != LOCK or not place.is_file():
            with modify(path, fs=fs) as values:
                yield values
            return
        values = _plain().load(place.read_text(encoding="utf-8")) or {}
        yield values
        text = StringIO()
        _plain().dump(values, text)
        partial = place.with_name(f"{LOCK}.partial")
        partial.write_text(text.getvalue(), encoding="utf-8")
        partial.replace(place)

    return quick


def _plain() -> YAML:
    """Return a reader and writer of plain values: block style, keys in their order."""
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.representer.add_representer(OrderedDict, yaml.representer.__class__.represent_dict)
    return yaml


if __name__ == "__main__":
    sys.exit(main())
