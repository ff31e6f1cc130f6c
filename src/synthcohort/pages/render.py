"""How does an executed notebook become a page that a person reads?

nbconvert renders the body (its `basic` template, about a tenth of a full page), without the code cells; `template` puts
the body into the study's own page, and the code follows at the end behind a fold. Pages refer to nothing outside the
study: figures are inside the page, links are relative.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthcohort.pages import glossary, template

if TYPE_CHECKING:
    from nbformat import NotebookNode

_HEADING = re.compile(r"^#\s+(.+)$", re.MULTILINE)
_SECTION = re.compile(r"##\s[^\n]+")
_SUBJECT = re.compile(r'<p class="subject">(.*?)</p>', re.DOTALL)


def render(notebook: NotebookNode, *, parameters: Mapping[str, Any], page: Path, root: Path) -> str:
    """Return the HTML page of an executed notebook.

    Args:
        notebook: the executed notebook, cleaned.
        parameters: what it was run with, shown in the page's foot.
        page: where the page will stand, for its relative links.
        root: the study's folder.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(_without_empty_sections(notebook))
    body = glossary.placed(body)
    given = html.escape(", ".join(f"{name} = {value}" for name, value in parameters.items()))
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.source)
    body += f"<details class='code'><summary>The code of this page</summary><p>{given}</p>"
    body += f"<pre>{html.escape(code)}</pre></details>"
    return template.page(title_of(notebook, body), body, home=home_of(page, root))


def _without_empty_sections(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without headings over nothing, such as those of a question that was not asked."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in notebook.cells:
        if _is_heading(cell):
            sections.append([])
        sections[-1].append(cell)
    told = [section for section in sections if section and not _is_empty(section)]
    return type(notebook)({**notebook, "cells": [cell for section in told for cell in section]})


def _is_heading(cell: NotebookNode) -> bool:
    """Return whether a cell is the bare heading of a section."""
    return cell.cell_type == "markdown" and _SECTION.fullmatch(cell.source.strip()) is not None


def _is_empty(section: list[NotebookNode]) -> bool:
    first, *rest = section
    return _is_heading(first) and not any(cell.cell_type == "markdown" or cell.get("outputs") for cell in rest)


def title_of(notebook: NotebookNode, body: str) -> str:
    """Return the page's title: the notebook's heading, then what the page calls its subject."""
    first = next((c.source for c in notebook.cells if c.cell_type == "markdown"), "")
    heading = _HEADING.search(first)
    subject = _SUBJECT.search(body)
    parts = [heading.group(1) if heading else "Page", html.unescape(subject.group(1)) if subject else ""]
    return " · ".join(part for part in parts if part)


def home_of(page: Path, root: Path) -> str:
    """Return the relative address of reports/ as seen from `page`, with a slash at its end."""
    return Path(os.path.relpath(root / "reports", page.parent)).as_posix() + "/"
