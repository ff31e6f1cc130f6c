"""How does a new block get into params.yaml?

It goes in behind the last table of the block `datasets`; comments, line ends and every other line stay byte for byte.
The file is replaced only if it then says the new block and, besides, what it said before.
"""

from __future__ import annotations

import re
from pathlib import Path

from synthcohort.adding.proposal import Proposal
from synthcohort.study import ParamsError, read_params

_HEAD = re.compile(r"datasets:[ \t]*(#.*)?\s*\Z")
_PLAIN_INDENT = 2  # that of the proposal's lines


def insert(path: Path, proposal: Proposal) -> None:
    """Write the proposal into the params.yaml at `path`.

    Raises:
        ParamsError: if `datasets` is not a block of lines, or the file would say anything else anew.
    """
    text = path.read_bytes().decode("utf-8")
    rows = text.splitlines(keepends=True)
    heads = [i for i, row in enumerate(rows) if _HEAD.match(row)]
    if not heads:
        raise ParamsError(f"{path.name}: datasets is not a block with a table a line; write the proposal in by hand")
    last, indent = _end(rows, heads[0])
    ending = "\r\n" if "\r\n" in text else "\n"
    block = "".join(" " * (indent - _PLAIN_INDENT) + line + ending for line in proposal.lines)
    before = "".join(rows[: last + 1])
    before += "" if before.endswith("\n") else ending
    _replace(path, before + block + "".join(rows[last + 1 :]), proposal)


def _end(rows: list[str], head: int) -> tuple[int, int]:
    """Return the number of the last line of the block that opens at `head`, and how far its tables are indented."""
    last, indent = head, _PLAIN_INDENT
    for i in range(head + 1, len(rows)):
        bare = rows[i].strip()
        if bare and not bare.startswith("#") and not rows[i].startswith(" "):
            break
        if bare and rows[i].startswith(" "):
            indent = indent if last > head or bare.startswith("#") else len(rows[i]) - len(rows[i].lstrip())
            last = i
    return last, indent


def _replace(path: Path, text: str, proposal: Proposal) -> None:
    before = read_params(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(text.encode("utf-8"))
    try:
        after = read_params(partial)
        if after != before.model_copy(update={"datasets": {**before.datasets, proposal.name: proposal.block}}):
            raise ParamsError(f"{path.name} could not be edited line by line; write the proposal in by hand")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
