"""How does one notebook become one result, the same bytes every time?

papermill injects the parameters and runs the cells; this module makes that strict and repeatable. A parameter that the
notebook does not declare, or declares and is not given, is an error (papermill only logs it). Timestamps, durations,
interpreter version, run paths and the random id of the injected cell are removed. What the notebook writes to standard
error (progress bars, warnings of libraries) goes to the terminal while the cells run and never into the page; that of a
restricted table, which may quote its cells, goes to a file that stays on this machine, and of an error only what its
veil lets through is told.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO

from synthcohort.disclosure import Veil
from synthcohort.pages.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

INJECTED_ID = "injected-parameters"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r"^(?:File )?\S*?(synthcohort/\S+\.py):(\d+), in (\w+)")
# jsonschema, behind nbformat, compiles a grammar of international addresses when it is imported. That takes longer
# than all else a cell imports here, for a format that no notebook has; it does without where the package is absent.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
_TERMINAL_SECONDS = {True: "0.2", False: "20"}  # between two updates of a progress bar; rarer where lines add up


class PageError(RuntimeError):
    """A notebook could not be run, or stopped with an error; the message says where to look."""


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    *,
    executed: Path,
    page: Path | None,
    root: Path,
    veil: Veil | None = None,
) -> Path:
    """Run a parameterised notebook and write its executed copy and its page.

    Args:
        notebook: the source, with one cell tagged "parameters"; it is not modified.
        parameters: a value for every declared parameter, and for nothing else.
        executed: where the executed notebook goes; after a failure it stands beside it as `<name>.failed.ipynb`.
        page: where the HTML goes; None: beside the executed notebook.
        root: the study's folder, the working directory of the kernel.
        veil: what is laid over messages about a restricted table.

    Returns:
        The path of the HTML page.

    Raises:
        PageError: for an unknown or missing parameter, a cell that fails, or a kernel that dies.
    """
    check_parameters(notebook, parameters)
    executed.parent.mkdir(parents=True, exist_ok=True)
    partial = executed.with_name(executed.stem + ".partial.ipynb")
    post_mortem = executed.with_name(executed.stem + ".failed.ipynb")
    _run(notebook, parameters, partial, post_mortem=post_mortem, root=root, veil=veil)
    cleaned = clean(_read(partial))
    html = page or executed.with_suffix(".html")
    write_text(html, render(cleaned, parameters=parameters, page=html, root=root))
    write_text(executed, _dump(cleaned))
    partial.unlink()
    post_mortem.unlink(missing_ok=True)
    return html


def check_parameters(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Compare `parameters` with the ones the notebook declares.

    Raises:
        PageError: naming the unknown or missing ones and listing the known ones with their defaults.
    """
    import papermill

    if not notebook.is_file():
        there = sorted(p.name for p in notebook.parent.glob("*.ipynb")) if notebook.parent.is_dir() else []
        raise PageError(f"no notebook {notebook.name!r} in {notebook.parent.name}/; there are {there}")
    if not any("parameters" in cell.metadata.get("tags", []) for cell in _read(notebook).cells):
        raise PageError(f"{notebook.name} has no cell tagged 'parameters'; tag one, even if it is empty")
    declared = papermill.inspect_notebook(str(notebook))
    known = ", ".join(f"{name} (default {entry['default']})" for name, entry in declared.items()) or "none"
    for problem, names in (
        ("does not know the parameter", sorted(set(parameters) - set(declared))),
        ("needs a value for the parameter", sorted(set(declared) - set(parameters))),
    ):
        if names:
            raise PageError(f"{notebook.name} {problem} {', '.join(map(repr, names))}; it declares: {known}")


def clean(notebook: NotebookNode) -> NotebookNode:
    """Return the executed notebook without anything that differs between two equal runs."""
    kernel = notebook.metadata.get("kernelspec", {})
    notebook.metadata = type(notebook.metadata)(kernelspec=kernel, language_info={"name": "python"})
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = type(cell.metadata)(tags=tags) if tags else type(cell.metadata)()
        if "injected-parameters" in tags:
            cell.id = INJECTED_ID
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    return notebook


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one step: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _run(
    notebook: Path,
    parameters: Mapping[str, Any],
    partial: Path,
    *,
    post_mortem: Path,
    root: Path,
    veil: Veil | None,
) -> None:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    subject = " ".join(str(value) for value in parameters.values())
    try:
        with _bar_interval(), _terminal(partial, veil) as said, TemporaryDirectory(prefix="kernel-") as sockets:
            papermill.execute_notebook(
                str(notebook),
                str(partial),
                parameters=dict(parameters),
                cwd=str(root),
                record_timing=False,
                stderr_file=said,
                progress_bar={"desc": f"{notebook.stem} {subject}".strip(), "unit": "cell"},
                config=_ipc(Path(sockets)),
            )
    except papermill.PapermillExecutionError as error:
        partial.replace(post_mortem)
        told = _in_full(error) if veil is None else _under(veil, error)
        raise PageError(_explain(notebook, parameters, error.exec_count, told, post_mortem)) from None
    except (DeadKernelError, CellTimeoutError) as error:
        partial.replace(post_mortem)
        reason = "the kernel died, most often because memory ran out"
        reason = str(error) if isinstance(error, CellTimeoutError) else reason
        raise PageError(f"{notebook.name} ({subject}) stopped: {reason}\n  look at {post_mortem}") from None


def _ipc(folder: Path) -> Any:
    """Return the setting that lets runner and kernel talk through files in `folder`, not through TCP ports.

    The default name of those files is the same for every kernel started in one folder: cells side by side would meet.
    """
    from traitlets.config import Config

    return Config(
        KernelManager={"transport": "ipc", "ip": str(folder / "k")},
        NotebookClient={"extra_arguments": ["--IPKernelApp.log_level=CRITICAL"]},  # a stop is not an error to print
    )


def _explain(notebook: Path, parameters: Mapping[str, Any], cell: int, told: tuple[str, str], post_mortem: Path) -> str:
    """Return which cell failed, what is told of the error, and where the rest is, told of as the second says."""
    given = ", ".join(f"{name}={value!r}" for name, value in parameters.items()) or "no parameters"
    error, rest = told
    return (
        f"{notebook.name} ({given}) failed in its cell number {cell}: {error}\n"
        f"  the notebook with everything up to the error{rest}: {post_mortem}"
    )


def _in_full(error: Any) -> tuple[str, str]:
    lines = [line for line in _ANSI.sub("", "\n".join(error.traceback)).splitlines() if line.strip()]
    tail = "\n".join("    " + line for line in lines[-8:])
    return f"{error.ename}: {error.evalue}\n{tail}", ""


def _under(veil: Veil, error: Any) -> tuple[str, str]:
    """Tell what the veil lets through, and where in this library it happened."""
    lines = _ANSI.sub("", "\n".join(error.traceback)).splitlines()
    places = [found for line in lines if (found := _PLACE.match(line.strip()))]
    where = f"\n    in {places[-1][1]}, line {places[-1][2]}, {places[-1][3]}" if places else ""
    return veil.of_error(error.ename, error.evalue) + where, ", which may show rows and must stay on this machine"


@contextmanager
def _terminal(partial: Path, veil: Veil | None) -> Iterator[TextIO]:
    """Give the stream for what a kernel writes to standard error: the terminal's, or a file where rows must stay."""
    if veil is None:
        yield sys.stderr
        return
    place = partial.with_name(partial.name.removesuffix(".partial.ipynb") + ".stderr.txt")
    with place.open("w", encoding="utf-8") as kept:
        yield kept


@contextmanager
def _bar_interval() -> Iterator[None]:
    """Set how often the kernel's progress bars redraw, unless the caller has chosen it."""
    name = "TQDM_MININTERVAL"
    if name in os.environ:
        yield
        return
    os.environ[name] = _TERMINAL_SECONDS[sys.stderr.isatty()]
    try:
        yield
    finally:
        del os.environ[name]


def _read(path: Path) -> NotebookNode:
    import nbformat

    return nbformat.read(path, as_version=4)


def _dump(notebook: NotebookNode) -> str:
    import nbformat

    return nbformat.writes(notebook) + "\n"
