"""Do only true bytes ever count as data, and is what cannot be had skipped loudly and at once?"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcohort.datasets import catalogue, download, fetch
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.entry import RawFile, Source
from synthcohort.datasets.further_tables import FURTHER_TABLES
from synthcohort.datasets.table import TableError
from synthcohort.study import DatasetBlock, Params, Paths, Study

CONTENT = b"a,b\n" + b"1,2\n" * 5000
BLOCK = DatasetBlock()


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves `answers`: path -> (bytes sent, length announced); any other path is not found."""

    answers: dict[str, tuple[bytes, int]]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path not in self.answers:
            self.send_error(404)
            return
        body, announced = self.answers[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _zipped(member: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(member, content)
    return stream.getvalue()


@pytest.fixture
def server() -> Iterator[tuple[type[_Server], str]]:
    archive = _zipped("toy.csv", CONTENT)
    handler = type("Handler", (_Server,), {"asked": [], "answers": {
        "/toy.csv": (CONTENT, len(CONTENT)),
        "/toy.zip": (archive, len(archive)),
        "/toy.csv.gz": (gzip.compress(CONTENT), len(gzip.compress(CONTENT))),
        "/cut.csv.gz": (gzip.compress(CONTENT)[:40], 40),
        "/cut.csv": (CONTENT[:7000], len(CONTENT)),
        "/cut.zip": (archive[:100], 100),
        "/altered.csv": (CONTENT.replace(b"1", b"3", 1), len(CONTENT)),
        "/login": (b"<html>please log in</html>", 26),
    }})  # fmt: skip
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield handler, f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(fetch.MIRROR, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "study" / "data" / "pima"


def offer(monkeypatch: pytest.MonkeyPatch, *sources: Source) -> None:
    """Put one small file with these sources in the place of pima's."""
    file = RawFile("toy.csv", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), sources)
    entry = dataclasses.replace(CATALOGUE["pima"], files=(file,))
    for name in CATALOGUE:
        monkeypatch.setitem(
            CATALOGUE, name, entry if name == "pima" else dataclasses.replace(CATALOGUE[name], files=())
        )


def present(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


@pytest.mark.parametrize("packed", [False, True])
def test_a_mirror_gives_plain_and_packed_files(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    offer(monkeypatch)
    (tmp_path / "mirror" / "pima").mkdir(parents=True)
    stored = tmp_path / "mirror" / "pima" / ("toy.csv.gz" if packed else "toy.csv")
    stored.write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
    monkeypatch.setenv(fetch.MIRROR, str(tmp_path / "mirror"))
    assert fetch.bring("pima", BLOCK, folder).origin == "mirror"
    assert (folder / "toy.csv").read_bytes() == CONTENT and present(folder) == ["toy.csv"]
    assert fetch.bring("pima", BLOCK, folder).origin == "in place"


@pytest.mark.parametrize(("path", "member"), [("/toy.csv", ""), ("/toy.zip", "toy.csv"), ("/toy.csv.gz", "")])
def test_a_publisher_gives_files_and_members(
    folder: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[type[_Server], str], path: str, member: str
) -> None:
    offer(monkeypatch, Source(server[1] + path, member))
    assert fetch.bring("pima", BLOCK, folder).origin == "publisher"
    assert (folder / "toy.csv").read_bytes() == CONTENT and present(folder) == ["toy.csv"]


@pytest.mark.parametrize(
    ("path", "member", "phrase"),
    [
        ("/cut.csv", "", "broke off"),
        ("/cut.zip", "toy.csv", "not a sound zip archive"),
        ("/login", "toy.csv", "not a sound zip archive"),
        ("/cut.csv.gz", "", "not a sound gzip file"),
        ("/toy.zip", "other.csv", "no member other.csv"),
        ("/gone.csv", "", "answers 404"),
        ("/altered.csv", "", "SHA-256"),
    ],
)
def test_a_bad_download_is_refused_and_the_next_source_is_asked(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: tuple[type[_Server], str],
    path: str,
    member: str,
    phrase: str,
) -> None:
    offer(monkeypatch, Source(server[1] + path, member))
    outcome = fetch.bring("pima", BLOCK, folder)
    assert outcome.skipped and phrase in outcome.reason, outcome.reason
    assert present(folder) == [fetch.MARKER]
    offer(monkeypatch, Source(server[1] + path, member), Source(server[1] + "/toy.csv"))
    assert fetch.bring("pima", BLOCK, folder).origin == "publisher"
    assert present(folder) == ["toy.csv"]


def test_a_wrong_hash_names_file_expected_and_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[type[_Server], str]
) -> None:
    offer(monkeypatch, Source(server[1] + "/altered.csv"))
    reason = fetch.bring("pima", BLOCK, folder).reason
    found = hashlib.sha256(CONTENT.replace(b"1", b"3", 1)).hexdigest()
    assert all(part in reason for part in ("toy.csv", found, hashlib.sha256(CONTENT).hexdigest()))


def test_a_partial_file_never_counts_and_is_cleared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch)
    folder.mkdir(parents=True)
    (folder / "toy.csv.partial").write_bytes(CONTENT)
    assert fetch.bring("pima", BLOCK, folder).skipped
    assert present(folder) == [fetch.MARKER]


def test_an_altered_file_is_fetched_again_or_skipped_and_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[type[_Server], str]
) -> None:
    folder.mkdir(parents=True)
    altered = CONTENT + b"9,9\n"
    (folder / "toy.csv").write_bytes(altered)
    offer(monkeypatch)
    outcome = fetch.bring("pima", BLOCK, folder)
    assert outcome.skipped and "refused data/pima/toy.csv" in outcome.reason
    assert (folder / "toy.csv").read_bytes() == altered
    offer(monkeypatch, Source(server[1] + "/toy.csv"))
    assert fetch.bring("pima", BLOCK, folder).origin == "publisher"
    assert (folder / "toy.csv").read_bytes() == CONTENT and present(folder) == ["toy.csv"]


def test_a_skip_says_how_to_supply_the_file_and_ends_when_it_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch)
    outcome = fetch.bring("pima", BLOCK, folder)
    record = json.loads((folder / fetch.MARKER).read_text())
    assert record["reason"] and "data/pima/toy.csv" in record["remedy"] and fetch.MIRROR in record["remedy"]
    assert str(folder.parents[1]) not in json.dumps(record)
    assert "SKIPPED pima" in outcome.line and "\n" not in outcome.line
    assert fetch.read_marker(folder) == outcome
    (folder / "toy.csv").write_bytes(CONTENT)
    assert fetch.bring("pima", BLOCK, folder).origin == "in place"
    assert present(folder) == ["toy.csv"] and fetch.read_marker(folder) is None


def test_a_silent_host_is_asked_once_and_briefly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection hangs, as it does where packets are dropped; every host is tried once, all at the same time."""
    asked: list[tuple[str, int]] = []

    def hang(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address)
        time.sleep(2)
        raise TimeoutError

    monkeypatch.setattr(download.socket, "create_connection", hang)
    monkeypatch.setattr(download, "PROBE_SECONDS", 0.3)
    offer(monkeypatch, *(Source(f"http://host{i}.invalid/toy.csv") for i in range(4)))
    hosts = fetch.Hosts()
    start = time.perf_counter()
    for _ in range(5):
        outcome = fetch.bring("pima", BLOCK, folder, hosts=hosts)
    assert time.perf_counter() - start < 1.2
    assert sorted(asked) == [(f"host{i}.invalid", 80) for i in range(4)]
    assert "host0.invalid cannot be reached (no answer within 0.3 s)" in outcome.reason


def test_a_host_that_refuses_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, Source("http://127.0.0.1:9/toy.csv"))
    assert "127.0.0.1:9 cannot be reached" in fetch.bring("pima", BLOCK, folder).reason


def _study(root: Path, datasets: dict[str, dict[str, object]]) -> Study:
    raw = {"study": {"seed": 1}, "datasets": datasets, "generators": {"independent": {}}}
    return Study(Params.model_validate(raw), Paths(root))


def test_the_whole_study_prints_one_line_a_table(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = dataclasses.replace(
        CATALOGUE["pima"], files=tuple(dataclasses.replace(f, sources=()) for f in CATALOGUE["pima"].files)
    )
    for name in CATALOGUE:
        if CATALOGUE[name].files and not CATALOGUE[name].package:
            monkeypatch.setitem(CATALOGUE, name, entry if name == "pima" else dataclasses.replace(entry, name=name))
    outcomes = fetch.bring_all(_study(tmp_path / "study", {"wdbc": {}, "rare_liver": {}, "pima": {}}))
    assert [o.origin for o in outcomes] == ["scikit-learn", "simulated", "skipped"]
    assert len(capsys.readouterr().out.splitlines()) == 3
    again = fetch.bring_all(_study(tmp_path / "study", {"wdbc": {}, "rare_liver": {}}))
    assert [o.origin for o in again] == ["in place", "in place"]


def test_unknown_tables_and_stolen_names_are_refused_after_the_others(tmp_path: Path) -> None:
    study = _study(tmp_path, {"pimaa": {}, "adult": {"path": "mine.csv"}, "wdbc": {}})
    with pytest.raises(TableError) as caught:
        fetch.bring_all(study)
    assert "'pimaa'" in str(caught.value) and "path: file.csv" in str(caught.value)
    assert "'adult' is a table of the catalogue" in str(caught.value)
    assert (tmp_path / "data" / "wdbc" / "breast_cancer.csv").is_file()


def test_an_own_csv_is_copied_again_only_when_its_bytes_differ(tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{i}.5,{i % 2}\n" for i in range(60))
    root, folder = tmp_path / "study", tmp_path / "study" / "data" / "mine"
    root.mkdir()
    (root / "mine.csv").write_text(text)
    block = DatasetBlock(path="mine.csv", target="y", positive="1")
    assert fetch.bring("mine", block, folder).origin == "own file"
    assert fetch.bring("mine", block, folder).origin == "in place"
    (root / "mine.csv").write_text(text + "99.5,1\n")
    assert fetch.bring("mine", block, folder).origin == "own file"
    assert (folder / "mine.csv").read_text() == text + "99.5,1\n" and present(folder) == ["mine.csv"]
    (root / "mine.csv").unlink()
    with pytest.raises(TableError, match=r"an earlier copy is at data/mine/mine\.csv"):
        fetch.bring("mine", block, folder)


def test_the_simulated_table_is_rewritten_when_altered(folder: Path) -> None:
    there = folder.parent / "rare_liver"
    assert fetch.bring("rare_liver", BLOCK, there).origin == "simulated"
    before = (there / "rare_liver.csv").read_bytes()
    (there / "rare_liver.csv").write_bytes(before[:-100])
    assert fetch.bring("rare_liver", BLOCK, there).origin == "simulated"
    assert (there / "rare_liver.csv").read_bytes() == before and present(there) == ["rare_liver.csv"]


def test_the_catalogue_is_complete() -> None:
    further = {"california", "insurance", "churn", "cardio", "ckd", "heart_failure", "physionet2012"}
    further |= {"diabetes130", "diabetes130_icd", "bank_marketing", "compas"}
    assert {entry.name for entry in FURTHER_TABLES} == further
    withheld = {name for name, entry in CATALOGUE.items() if entry.credentialed}
    assert withheld == {"mimic_icd", "mimic_mortality"}
    assert all(CATALOGUE[name].card.restricted == (name in withheld) for name in CATALOGUE)
    assert set(CATALOGUE) - further - withheld == {"wdbc", "pima", "ilpd", "stroke", "adult", "rare_liver"}
    for name, entry in CATALOGUE.items():
        assert entry.name == name and entry.title and entry.publisher and entry.licence and entry.citation
        assert entry.quirks and bool(entry.files) + entry.simulated + entry.credentialed == 1
        assert all(len(f.sha256) == 64 and f.size > 0 and (f.sources or entry.package) for f in entry.files)
        assert catalogue.is_own_csv(name, None) is False
