"""How do the raw files get here, and how do we know they are the true ones?

`bring` looks in this order: already in place; the mirror folder named by SYNTHCOHORT_DATA_MIRROR (laid out
<table>/<file>, or <shelf>/<file> where the catalogue names a shelf; plain or .gz); the publisher's URLs. A file counts
only if the SHA-256 of its uncompressed bytes is the catalogue's; it is written under a partial name and renamed when it
is whole, so an interrupted or altered download is never data. What cannot be had is skipped loudly, with a marker that
holds the reason and the remedy; nothing stands in for it. `wdbc` travels inside scikit-learn and `rare_liver` is drawn
by this package, so these two are always here. Files of credentialed tables are never downloaded: see `credentialed`.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.resources
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from synthcohort.datasets import credentialed, csv_table, download, rare_liver
from synthcohort.datasets.catalogue import CATALOGUE, is_own_csv
from synthcohort.datasets.download import Hosts
from synthcohort.datasets.entry import Entry, RawFile
from synthcohort.datasets.table import TableError
from synthcohort.disclosure import Veil
from synthcohort.schema import write_frame

if TYPE_CHECKING:
    from synthcohort.study import DatasetBlock, Study

MIRROR = "SYNTHCOHORT_DATA_MIRROR"
MARKER = "SKIPPED.json"
Origin = Literal["in place", "mirror", "publisher", "scikit-learn", "simulated", "own file", "own folder", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What became of one table.

    Args:
        name: its name.
        origin: where its files came from in this run, or "skipped".
        reason: why it was skipped, else "".
        remedy: how to supply it by hand, else "".
    """

    name: str
    origin: Origin
    reason: str = ""
    remedy: str = ""

    @property
    def skipped(self) -> bool:
        """Whether some raw file could not be had; else every one is in place and true."""
        return self.origin == "skipped"

    @property
    def line(self) -> str:
        """The outcome in one line."""
        if self.skipped:
            return f"!! SKIPPED {self.name}: {self.reason}. {self.remedy}"
        return f"{self.name}: {self.origin}"


def bring_all(study: Study) -> list[Outcome]:
    """Bring the raw files of every table of the study and print one line for each.

    The caller decides what a skipped table means (`study.strict`).

    Raises:
        TableError: after all tables were tried, if a block names an unknown table or a CSV that cannot be used.
    """
    hosts = Hosts()
    outcomes, faults = [], []
    for name, block in study.params.datasets.items():
        try:
            outcome = bring(name, block, study.paths.raw(name), hosts=hosts)
        except TableError as error:
            faults.append(str(error))
            continue
        print(outcome.line, flush=True)
        outcomes.append(outcome)
    if faults:
        raise TableError("\n".join(faults))
    return outcomes


def bring(name: str, block: DatasetBlock, folder: Path, *, hosts: Hosts | None = None) -> Outcome:
    """Put the raw files of table `name` into `folder`, data/<name> below the study's folder.

    Args:
        block: the table's settings; a relative `block.path` starts at the study's folder.
        hosts: which hosts were found unreachable so far; shared between calls, none is tried twice.

    Raises:
        TableError: if the name is unknown or the reader's CSV cannot be used.
    """
    if is_own_csv(name, block.path):
        return _bring_own(name, block, folder)
    entry = CATALOGUE[name]
    if entry.simulated:
        outcome = Outcome(name, _simulate(folder))
    elif entry.credentialed:
        outcome = _draw(entry, block, folder)
    elif entry.package:
        outcome = _collect(entry, folder, lambda file: (_packaged(entry), "scikit-learn"))
    else:
        shared = hosts or Hosts()
        outcome = _collect(entry, folder, lambda file: _find(entry, file, shared))
    _mark(outcome, folder)
    return outcome


def faults(name: str, folder: Path) -> list[str]:
    """Return what is wrong with the raw files of a catalogued table in `folder`; empty if nothing is."""
    return [fault for file in CATALOGUE[name].files if (fault := _fault(folder / file.name, file))]


def read_marker(folder: Path) -> Outcome | None:
    """Return the outcome recorded by the marker in `folder`, or None if there is no marker."""
    marker = folder / MARKER
    if not marker.is_file():
        return None
    record = json.loads(marker.read_text(encoding="utf-8"))
    return Outcome(record["dataset"], "skipped", record["reason"], record["remedy"])


class _NotHad(Exception):
    """A raw file cannot be had here, for the stated reason."""


def _collect(entry: Entry, folder: Path, find: Callable[[RawFile], tuple[bytes, Origin]]) -> Outcome:
    """Put every file of `entry` that is not in place already there; `find` returns its bytes or raises _NotHad."""
    origin: Origin = "in place"
    for file in entry.files:
        path = folder / file.name
        fault = _fault(path, file)
        if not fault:
            continue
        try:
            content, origin = find(file)
        except _NotHad as error:
            reason = f"{fault}; {error}" if path.exists() else str(error)
            return Outcome(entry.name, "skipped", reason, _remedy(entry, folder))
        refused = _mismatch(_shown(path), file, hashlib.sha256(content).hexdigest())
        if refused:
            return Outcome(entry.name, "skipped", refused, _remedy(entry, folder))
        _write(path, content)
    return Outcome(entry.name, origin)


def _find(entry: Entry, file: RawFile, hosts: Hosts) -> tuple[bytes, Origin]:
    tried = []
    try:
        return _from_mirror(entry, file), "mirror"
    except _NotHad as error:
        tried.append(str(error))
    # every host of the catalogue at once: without a network that is one wait, not one a table
    hosts.probe(s.url for e in CATALOGUE.values() for f in e.files for s in f.sources)
    for source in file.sources:
        try:
            content = download.fetch(source.url, source.member, label=f"{entry.name}/{file.name}", hosts=hosts)
        except download.DownloadError as error:
            tried.append(str(error))
            continue
        refused = _mismatch(source.url, file, hashlib.sha256(content).hexdigest())
        if not refused:
            return content, "publisher"
        tried.append(refused)
    raise _NotHad(f"{file.name}: " + "; ".join(dict.fromkeys(tried)))


def _from_mirror(entry: Entry, file: RawFile) -> bytes:
    mirror = os.environ.get(MIRROR, "")
    if not mirror:
        raise _NotHad(f"no mirror folder is set ({MIRROR})")
    shelf = entry.shelf or entry.name
    plain = Path(mirror) / shelf / file.name
    packed = plain.with_name(plain.name + ".gz")
    try:
        if plain.is_file():
            content = plain.read_bytes()
        elif packed.is_file():
            content = gzip.decompress(packed.read_bytes())
        else:
            raise _NotHad("not in the mirror folder")
    except (OSError, EOFError, zlib.error) as error:
        raise _NotHad(f"the mirror's {shelf}/{file.name} cannot be read ({error})") from None
    refused = _mismatch(f"the mirror's {shelf}/{file.name}", file, hashlib.sha256(content).hexdigest())
    if refused:
        raise _NotHad(refused)
    return content


def _packaged(entry: Entry) -> bytes:
    path = importlib.resources.files(entry.package).joinpath(entry.member)
    if not path.is_file():
        raise _NotHad(f"the installed {entry.package} has no {entry.member}")
    return path.read_bytes()


def _simulate(folder: Path) -> Origin:
    """Write the simulated table unless the very same bytes are there."""
    path = folder / rare_liver.FILE
    partial = _partial(path)
    write_frame(rare_liver.registry(), partial)
    if path.is_file() and path.read_bytes() == partial.read_bytes():
        partial.unlink()
        return "in place"
    partial.replace(path)
    return "simulated"


def _bring_own(name: str, block: DatasetBlock, folder: Path) -> Outcome:
    source = own_path(block, folder)
    kept = folder / source.name
    if source.is_file() and kept.is_file() and source.read_bytes() == kept.read_bytes():
        return Outcome(name, "in place")
    if not source.is_file() and kept.is_file():
        raise TableError(
            f"{source}: no such file, though an earlier copy is at {_shown(kept)}; correct datasets.{name}.path, or "
            f"set it to that copy"
        )
    _check_own(source, name, block)
    _write(kept, source.read_bytes())
    _mark(Outcome(name, "own file"), folder)
    return Outcome(name, "own file")


def _draw(entry: Entry, block: DatasetBlock, folder: Path) -> Outcome:
    if block.path is not None:
        fresh = credentialed.draw(entry.name, own_path(block, folder), folder)
        return Outcome(entry.name, "own folder" if fresh else "in place")
    if credentialed.drawn(folder):
        return Outcome(entry.name, "in place")
    return Outcome(entry.name, "skipped", credentialed.WITHHELD, credentialed.remedy(entry))


def _check_own(source: Path, name: str, block: DatasetBlock) -> None:
    """Read the CSV once; of an error that nobody foresaw a restricted table tells the kind alone."""
    try:
        csv_table.read(source, name, block)
    except TableError:
        raise
    except Exception as error:
        if not block.restricted:
            raise
        told = Veil(name).of_error(type(error).__name__, str(error))
        raise TableError(f"{source}: cannot be read: {told}") from None


def own_path(block: DatasetBlock, folder: Path) -> Path:
    """Return where the reader's CSV or files are; a relative path starts at the study's folder, two above `folder`."""
    return folder.parents[1] / Path(block.path or "").expanduser()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(path)
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _mark(outcome: Outcome, folder: Path) -> None:
    """Leave the marker of a skipped table, or remove that of one that is here now; clear stale partial files."""
    for stale in folder.glob("*.partial"):
        stale.unlink()
    if not outcome.skipped:
        (folder / MARKER).unlink(missing_ok=True)
        return
    record = {"dataset": outcome.name, "reason": outcome.reason, "remedy": outcome.remedy}
    _write(folder / MARKER, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


def _remedy(entry: Entry, folder: Path) -> str:
    place = f"{entry.shelf or entry.name}/{entry.files[0].name}"
    files = " and ".join(f"{_shown(folder / file.name)} (SHA-256 {file.sha256})" for file in entry.files)
    return (
        f"To supply it by hand, get it from {entry.homepage} and put it at {files} in the study's folder, or set "
        f"{MIRROR} to a folder that holds {place}; then run `synthcohort data`"
    )


def _fault(path: Path, file: RawFile) -> str:
    if not path.is_file():
        return f"{_shown(path)} is not there"
    with path.open("rb") as stream:
        return _mismatch(_shown(path), file, hashlib.file_digest(stream, "sha256").hexdigest())


def _mismatch(what: str, file: RawFile, found: str) -> str:
    if found == file.sha256:
        return ""
    return f"refused {what}: its SHA-256 is {found}, expected {file.sha256} for {file.name}"


def _shown(path: Path) -> str:
    return "/".join(path.parts[-3:])
