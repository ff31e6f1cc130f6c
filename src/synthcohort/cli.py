"""What can be asked of the study from a terminal?

`synthcohort data` brings the raw tables, `add` proposes what params.yaml must say of a table of your own, `check` reads
params.yaml, `run` executes one cell (DVC calls it), `study` brings everything up to date. `tune` searches for the
settings of generators; only it does, since that takes long. `release` hands
out a synthetic table; nothing else does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from synthcohort import study as studies
from synthcohort import waves


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.update(waves.environment())
    try:
        return options.command(options)
    except KeyboardInterrupt:
        print("synthcohort: interrupted; run the same command again to go on where it stopped", file=sys.stderr)
        return 130
    except Exception as error:
        if not isinstance(error, _known_errors()):
            raise
        print(f"synthcohort: {error}", file=sys.stderr)
        return 2


def _known_errors() -> tuple[type[Exception], ...]:
    """Errors whose message already says what to do; a traceback would only bury it."""
    from synthcohort.cells.releasing import ReleaseError
    from synthcohort.datasets.table import TableError
    from synthcohort.pages.execute import PageError
    from synthcohort.schema import SchemaError

    return studies.ParamsError, TableError, PageError, SchemaError, ReleaseError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="synthcohort", description="Synthetic cohorts, compared on equal terms.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    data = commands.add_parser("data", help="bring the raw tables named in params.yaml into data/")
    data.set_defaults(command=_data)
    check = commands.add_parser("check", help="read params.yaml and name whatever is not understood")
    check.set_defaults(command=_check)
    run = commands.add_parser("run", help="run one cell of a stage (called by DVC)")
    run.add_argument("stage")
    run.add_argument("--dataset")
    run.add_argument("--generator")
    run.add_argument("--imputer")
    run.add_argument("--method")
    run.set_defaults(command=_run)
    add = commands.add_parser("add", help="propose what params.yaml must say of your own CSV, and write it on request")
    add.add_argument("file", type=Path)
    add.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    add.add_argument("--name", default="", help="what the table is called here (default: from the file's name)")
    add.add_argument("--separator", default="", help="between cells (default: as the file shows)")
    add.add_argument("--encoding", default="", help="of the file (default: as the file shows)")
    add.add_argument("--write", "--yes", action="store_true", help="write into params.yaml without asking")
    add.set_defaults(command=_add)
    whole = commands.add_parser("study", help="bring every result and report up to date")
    whole.add_argument("--jobs", type=int, default=1, help="cells side by side, one core each (default 1)")
    whole.set_defaults(command=_study)
    tune = commands.add_parser("tune", help="search for the settings of generators, or adopt what was found")
    tune.add_argument("--generator", nargs="+", metavar="NAME", help="default: all under `search` in params.yaml")
    tune.add_argument("--jobs", type=int, default=1, help="generators side by side, one core each (default 1)")
    tune.add_argument("--adopt", action="store_true", help="run nothing; write the settings found into params.yaml")
    tune.set_defaults(command=_tune)
    release = commands.add_parser("release", help="hand out a synthetic table with its data sheet")
    release.add_argument("dataset")
    release.add_argument("generator")
    release.add_argument("--split", type=int, default=0, metavar="K", help="whose rows (default 0)")
    release.add_argument("--out", metavar="FOLDER", help="default: releases/DATASET/GENERATOR in the study's folder")
    release.add_argument("--despite", default="", metavar="REASON", help="hand out against the verdict, and say why")
    release.set_defaults(command=_release)
    return parser


def _data(options: argparse.Namespace) -> int:
    from synthcohort.datasets import fetch

    opened = studies.load()
    outcomes = fetch.bring_all(opened)
    missing = [o.name for o in outcomes if o.skipped]
    return 1 if missing and opened.params.study.strict else 0


def _check(options: argparse.Namespace) -> int:
    from synthcohort import checks, tracked

    opened = studies.load()
    checks.check(opened)
    tracked.check(opened)
    params = opened.params
    pairs = sum(len(opened.generators(name)) for name in params.datasets)
    print(f"params.yaml is understood: {len(params.datasets)} tables, {len(params.generators)} generators, "
          f"{pairs} pairs of both, {len(params.claims)} claims")  # fmt: skip
    return 0


def _run(options: argparse.Namespace) -> int:
    from synthcohort import stages

    asked = {name: getattr(options, name) for name in ("dataset", "generator", "imputer", "method")}
    cell = {name: value for name, value in asked.items() if value is not None}
    stages.run(studies.load(), options.stage, cell)
    return 0


def _add(options: argparse.Namespace) -> int:
    from synthcohort import stages
    from synthcohort.adding import proposal, sniffing, writing
    from synthcohort.datasets import fetch

    opened = studies.load()
    reading = sniffing.sniff(options.file, encoding=options.encoding, separator=options.separator)
    found = proposal.propose(opened, options.file, target=options.target, name=options.name, reading=reading)
    print("\n".join(["datasets:", *found.lines]))
    if not (options.write or _agreed("Write this into params.yaml? [y/N] ")):
        print("\nNothing is written; run again with --write, or copy the block into params.yaml and change it.")
        return 0
    writing.insert(opened.paths.root / "params.yaml", found)
    opened = studies.load()
    fetch.bring(found.name, found.block, opened.paths.raw(found.name))
    page = stages.run(opened, "raw", {"dataset": found.name})
    print(f"\nparams.yaml has the block; its table is described on {page}")
    print("Look at both, correct the block if need be, then run: synthcohort study")
    return 0


def _agreed(question: str) -> bool:
    return sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes")


def _study(options: argparse.Namespace) -> int:
    from synthcohort import checks, stages, tracked

    opened = studies.load()
    checks.check(opened)
    tracked.check(opened)
    if options.jobs > 1:
        stages.keep_absent(opened)
    code = waves.run(opened, options.jobs)
    if code == 0:
        print(f"\nReports: {opened.paths.page('index')}")
    return code


def _release(options: argparse.Namespace) -> int:
    from synthcohort import release

    out = Path(options.out).expanduser().resolve() if options.out else None
    order = release.Order(options.dataset, options.generator, options.split, out, options.despite)
    print(f"\nData sheet: {release.release(studies.load(), order)}")
    return 0


def _tune(options: argparse.Namespace) -> int:
    from synthcohort import checks
    from synthcohort.tuning import adopt, search

    opened = studies.load()
    checks.check(opened)
    names = options.generator or list(opened.params.search)
    for name in names:
        search.space_of(opened, name)
    if options.adopt:
        kept = opened.params.tuning.kept
        settings = adopt.found_settings(opened).items()
        found = {name: setting for name, setting in settings if name in names and name not in kept}
        running = {name: setting for name, setting in found.items() if name in opened.params.generators}
        changed = adopt.adopt(opened.paths.root / "params.yaml", running)
        print(f"params.yaml: {', '.join(changed) or 'nothing'} changed; {len(found)} generators have trials")
        rest = adopt.lines(opened, {name: found[name] for name in found if name not in running})
        if rest:
            print("\n".join(["Not in the study; these lines under `generators` add them:", *rest]))
        return 0
    code = waves.tune(opened, names, options.jobs)
    if code == 0:
        found = adopt.found_settings(opened)
        print("\n".join(["\ngenerators:", *adopt.lines(opened, found), "\n`synthcohort tune --adopt` writes this."]))
    return code


if __name__ == "__main__":
    sys.exit(main())
