"""How does a synthetic table leave the house?

Only by this command: rows, real or synthetic, go neither to Git nor to a remote by themselves. What the study's own
attacks say is printed first. A restricted table needs those scores, and where they speak against it a reason, which
then stands on the data sheet. The table goes as CSV with its data sheet beside it; weights stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort.cells.releasing import ReleaseError, candidate, check_scores
from synthcohort.comparison.intervals import load_scores
from synthcohort.datasets import restricted
from synthcohort.disclosure import FLOOR, Veil
from synthcohort.figures.style import REAL, SENTINELS
from synthcohort.report import gathering, privacy_verdict
from synthcohort.report.datasheet import Sheet
from synthcohort.scores import COLUMNS
from synthcohort.study import ParamsError, Study


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Args:
        dataset, generator: the cell.
        split: whose rows.
        out: where they go; None: `releases/<dataset>/<generator>` in the study's folder.
        despite: why a table goes that the attacks speak against; "" for no reason.
    """

    dataset: str
    generator: str
    split: int = 0
    out: Path | None = None
    despite: str = ""


def release(study: Study, order: Order) -> Path:
    """Print the privacy verdict, write the synthetic table and its data sheet, and return the sheet.

    Raises:
        ParamsError: if the study has no such table, generator or split.
        ReleaseError: if the cell is not there, or a restricted table may not go; the message names the remedy.
    """
    _check(study, order)
    veil = restricted.veils(study).get(order.dataset)
    with _under(veil):
        found = candidate(study, order.dataset, order.generator, order.split)
    scores = _scores(study, order)
    lacking = privacy_verdict.missing(scores, order.generator)
    if lacking and veil is not None:
        raise ReleaseError(
            f"{order.dataset} is restricted, and the study has no scores of {', '.join(lacking)} for {order.generator} "
            f"on it; run `dvc repro evaluate@{order.dataset}-{order.generator}` first"
        )
    how = gathering.resampling(study)
    verdict = None if lacking else privacy_verdict.judge(scores, order.generator, how)
    if verdict is not None:
        with _under(veil):
            check_scores(study, found, scores)
        print("\n".join([*(f.sentence for f in verdict.findings), found.exposed(FLOOR), verdict.sentence]))
        if veil is not None and not verdict.good and not order.despite.strip():
            raise ReleaseError(
                f"{order.dataset} is restricted and its privacy verdict is bad: nothing was written. Choose another "
                f'generator, or give a reason, which the data sheet will print: --despite "REASON"'
            )
    sheet = Sheet(
        found=found,
        seed=study.params.study.seed,
        splits=study.splits(order.dataset),
        scores=scores,
        resampling=how,
        verdict=verdict,
        despite=order.despite.strip() if verdict is not None and not verdict.good else "",
        machine=gathering.machine(study.paths.machine(order.dataset, order.generator)),
    )
    folder = order.out or study.paths.release(order.dataset, order.generator)
    name = f"{order.dataset}-{order.generator}-split{order.split}"
    page = _write(folder / f"{name}.md", sheet.markdown().encode("utf-8"))
    _write(folder / f"{name}.csv", found.path.read_bytes())  # last: no table stands without its sheet
    return page


def _check(study: Study, order: Order) -> None:
    params = study.params
    for kind, name, known in (
        ("dataset", order.dataset, params.datasets),
        ("generator", order.generator, params.generators),
    ):
        if name not in known:
            raise ParamsError(f"params.yaml has no {kind} {name!r}; it has {', '.join(known)}")
    asked = study.generators(order.dataset)
    if order.generator not in asked:
        has = ", ".join(asked) or "none"
        raise ParamsError(
            f"{order.generator} is not run on {order.dataset}; datasets.{order.dataset}.generators: {has}"
        )
    if not 0 <= order.split < study.splits(order.dataset):
        raise ParamsError(
            f"{order.dataset} has no split {order.split}; its splits are 0 to {study.splits(order.dataset) - 1}"
        )


def _scores(study: Study, order: Order) -> pd.DataFrame:
    """Return the tidy scores of the generator, the real table and the sentinels, as far as there are any."""
    names = dict.fromkeys([order.generator, REAL, *SENTINELS])
    files = [study.paths.scores(order.dataset, name) for name in names]
    there = [path for path in [*files, study.paths.shadow(order.dataset, order.generator)] if path.is_file()]
    return load_scores(there) if there else pd.DataFrame(columns=COLUMNS)


@contextmanager
def _under(veil: Veil | None) -> Iterator[None]:
    """Tell of an error of a restricted table only what its veil lets through."""
    try:
        yield
    except ReleaseError:
        raise
    except FileNotFoundError as error:
        raise ReleaseError(f"{error}: the rows of the splits are not on this machine; run `dvc repro`") from None
    except Exception as error:
        if veil is None:
            raise
        raise ReleaseError(veil.of_error(type(error).__name__, str(error))) from None


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
    return path
