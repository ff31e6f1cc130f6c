"""How are the splits of one cell done, and what is left of them when the run dies?

Each split is a task of its own: where params.yaml has a block `parallel`, in a worker process. What it gave, a record
and maybe a folder of files, is kept until the cell is whole, so that a run that was killed goes on with the splits that
are missing. Both bear a stamp (`progress`), a digest of all that decides what the split gives. What bears another stamp
is not used, and a process that outlived its run cannot touch what a later run with other settings makes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tqdm import tqdm

from synthcohort import parallel
from synthcohort.cells import progress
from synthcohort.study import ParallelBlock

Record = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What is to be done of one cell; picklable.

    Args:
        task: (split, stamp) -> JSON-able record of what the split gave.
        stamp: split -> digest of all that decides the record.
        folder: where finished splits are kept; whoever has made the cell whole removes it.
        label: name on the progress bar.
    """

    task: Callable[[int, str], Record]
    stamp: Callable[[int], str]
    folder: Path
    label: str


def run(work: Work, splits: int, engine: ParallelBlock | None) -> list[Record]:
    """Return the record of every split, in order: of those that are kept, and of the others, which are done now."""
    stamps = {split: work.stamp(split) for split in range(splits)}
    _forget_others(work.folder, stamps)
    found = {split: progress.kept(_record(work.folder, split), stamp) for split, stamp in stamps.items()}
    whole = {split: record for split, record in found.items() if record is not None}
    missing = [split for split in stamps if split not in whole]
    with tqdm(total=splits, initial=len(whole), desc=work.label, unit="split") as bar:
        whole |= parallel.each(_Step(work, stamps), missing, engine=engine, done=bar.update)
    return [whole[split] for split in stamps]


def files(folder: Path, split: int, stamp: str) -> Path:
    """Return the folder for the files of one split."""
    return folder / f"split_{split}-{stamp[:16]}"


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder that no other process fills; it becomes `folder` when the block ends without an error.

    Another process may have been given the same split, since the first was taken for dead: the files are equal then,
    and those of the first stay.
    """
    partial = folder.with_name(f"{folder.name}.{uuid4().hex}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        _settle(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _settle(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


@dataclass(frozen=True)
class _Step:
    """One split in whatever process it falls to."""

    work: Work
    stamps: Mapping[int, str]

    def __call__(self, split: int) -> Record:
        stamp = self.stamps[split]
        if self.work.stamp(split) != stamp:
            raise RuntimeError(
                f"{self.work.label}, split {split}: this worker sees other files, or has other versions of the library "
                f"or of those it uses, than the study; give every worker the study's folder and environment"
            )
        record = self.work.task(split, stamp)
        progress.keep(_record(self.work.folder, split), stamp, record)
        return record


def _record(folder: Path, split: int) -> Path:
    return folder / f"split_{split}.json"


def _forget_others(folder: Path, stamps: Mapping[int, str]) -> None:
    """Remove files of splits with another stamp or of none, and what a killed process left half-written."""
    wanted = {files(folder, split, stamp) for split, stamp in stamps.items()}
    for path in folder.glob("split_*-*"):
        if path not in wanted:
            shutil.rmtree(path, ignore_errors=True)
