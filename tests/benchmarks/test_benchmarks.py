"""The benchmarks run, on sizes at which they cost nothing; what they measure depends on the machine and is no test."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AXES = ["fidelity", "utility", "augmentation", "privacy"]


def run(*arguments):
    return subprocess.run([sys.executable, HERE, *arguments], capture_output=True, text=True, check=False)


def lines(printed):
    """Return the cells of the Markdown table, a list a line, without the head."""
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if line.startswith("|")]
    assert len({len(cells) for cells in found}) == 1
    return found[2:]


def test_every_score_belongs_to_an_axis_that_is_timed():
    done = run("metrics", "--rows", "140")
    assert done.returncode == 0, done.stderr
    assert "; 1 thread(s); Python" in done.stdout and " 140 train, 20 validation and 40 test rows" in done.stdout
    *parts, rest, whole = lines(done.stdout)
    assert [part[0] for part in parts] == AXES and all(float(part[1]) > 0 for part in parts)
    assert sum(int(part[2]) for part in parts) == int(whole[2])
    assert abs(float(rest[1])) < 0.2 * float(whole[1])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("wide", "--rows", "90", "--codes", "12"), ["dimension-wise prediction"]),
        (("generators", "--rows", "70", "independent", "smote"), ["train rows", "independent", "smote"]),
        (("known_law", "--rows", "90", "independent"), ["fresh rows", "independent"]),
        (("extraction", "--rows", "3000", "--patients", "50"), ["mimic_mortality"]),
    ],
    ids=["wide", "generators", "known_law", "extraction"],
)
def test_a_benchmark_prints_its_lines_with_one_thread(arguments, names):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert [line[0] for line in lines(done.stdout)] == names and "; 1 thread(s); Python" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("metrics", "--table", "nowhere"), "dvc repro prepare@nowhere"),
        (("private", "no_such"), "no family 'no_such' with a counterpart in params.yaml; there are"),
        (("generators", "no_such"), "no generator 'no_such' in params.yaml; there are"),
        (("speed",), "Name one of: metrics, wide, generators"),
    ],
    ids=["table", "family", "generator", "benchmark"],
)
def test_what_cannot_run_says_what_to_do(arguments, advice):
    done = run(*arguments)
    assert done.returncode != 0 and advice in done.stderr
