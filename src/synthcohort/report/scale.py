"""What do more rows and more columns cost? What the page says and shows.

Each size is one fit with a draw of as many rows; there are no splits here, so no interval either. A size is within the
budget if its CPU seconds and its resident size are. Growth is the exponent of the power law through the two largest
sizes measured, told where the cheaper of them cost `LEAST` CPU seconds or more: below, first calls into the libraries
outweigh the work. It is called linear from 0.8 to 1.2. Both bounds are conventions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from synthcohort.cells.lone_fit import GB
from synthcohort.cells.scale import NOT_RUN, PEAK, TOTAL, growth
from synthcohort.cells.scaled_tables import BLOCK, Blocks, Resampled
from synthcohort.comparison.intervals import load_scores
from synthcohort.figures import style
from synthcohort.figures.scale import Panel
from synthcohort.report import gathering
from synthcohort.report.captions_study import measured_on
from synthcohort.report.questions import counted
from synthcohort.report.verdicts import listed
from synthcohort.study import ScaleBlock, Study

ROWS, COLUMNS = Resampled.along, Blocks.along
LINEAR = (0.8, 1.2)  # exponents
LEAST = 0.1  # CPU seconds
MB = 1e6


@dataclass(frozen=True)
class Reach:
    """How far a generator comes.

    Args:
        generator: whose.
        largest: size within the budget, 0 if none is.
        seconds, memory: CPU seconds and bytes there, NaN if none is.
        exponent: of growth, NaN with fewer than two sizes measured or where they were too cheap to tell.
        measured: how many sizes were.
        stop: why the next size is out of reach, "" if there is none.
    """

    generator: str
    largest: int
    seconds: float
    memory: float
    exponent: float
    measured: int
    stop: str


@dataclass(frozen=True)
class Scale:
    """What was measured with one table.

    Args:
        dataset: whose rows were resampled.
        block: the settings.
        points: as `points` returns them.
        machines: what it was measured on, in sentences.
    """

    dataset: str
    block: ScaleBlock
    points: pd.DataFrame
    machines: list[str]

    def along(self, what: str) -> pd.DataFrame:
        """Return the points of growing length or width."""
        return self.points[self.points["along"] == what]

    def asked(self, what: str) -> int:
        """Return the size that the page asks about."""
        return self.block.asked_rows if what == ROWS else self.block.asked_columns

    def subject(self, what: str) -> str:
        """Return which tables grow."""
        return f"rows of {self.dataset}" if what == ROWS else "columns of a simulated table"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels of either figure."""
        return (
            Panel("seconds", "CPU seconds of fit and draw", 1.0, self.block.fit_cpu_seconds),
            Panel("memory", "peak memory of the process, MB", MB, self.block.memory_gb * GB / MB),
        )

    @property
    def budget(self) -> str:
        """What a fit may cost, in words."""
        return f"{self.block.fit_cpu_seconds:g} CPU s and {self.block.memory_gb:g} GB"

    def reaches(self, what: str) -> list[Reach]:
        """Return how far every generator comes, in the order of all figures."""
        own = self.along(what)
        names = style.order(list(own["generator"].unique()))
        return [self._reach(own[own["generator"] == name].sort_values("size"), name) for name in names]

    def obstacle(self, row: pd.Series) -> str:
        """Return why a size is out of reach, "" if it is within the budget."""
        if math.isnan(row["seconds"]):
            return str(row["note"]).removeprefix(NOT_RUN)
        if row["memory"] > self.block.memory_gb * GB:
            return f"took {row['memory'] / GB:.1f} GB"
        return f"cost {row['seconds']:,.0f} CPU s" if row["seconds"] > self.block.fit_cpu_seconds else ""

    def answer(self, what: str) -> str:
        """Return how cost grows, and who takes the size asked about."""
        return f"{what.capitalize()}: {self._growth(what)} {self._within(what)}"

    def _reach(self, own: pd.DataFrame, name: str) -> Reach:
        stops = [self.obstacle(row) for _, row in own.iterrows()]
        within = own[[not stop for stop in stops]]
        best = within.iloc[-1] if len(within) else None
        beyond = [stop for size, stop in zip(own["size"], stops) if stop and (best is None or size > best["size"])]
        known = [(int(n), float(t)) for n, t in zip(own["size"], own["seconds"]) if not math.isnan(t)]
        return Reach(
            name,
            0 if best is None else int(best["size"]),
            math.nan if best is None else float(best["seconds"]),
            math.nan if best is None else float(best["memory"]),
            growth(*known[-2:]) if len(known) > 1 and min(t for _, t in known[-2:]) >= LEAST else math.nan,
            len(known),
            beyond[0] if beyond else "",
        )

    def _growth(self, what: str) -> str:
        found = self.reaches(what)
        low, high = LINEAR
        linear = [reach for reach in found if low <= reach.exponent <= high]
        others = {
            "more slowly": [reach for reach in found if reach.exponent < low],
            "faster": [reach for reach in found if reach.exponent > high],
        }
        rest = "".join(f"; {how} for {_exponents(own)}" for how, own in others.items() if own)
        unknown = [reach.generator for reach in found if reach.measured < 2]
        cheap = [reach.generator for reach in found if math.isnan(reach.exponent) and reach.measured > 1]
        silent = f" Fewer than two sizes were measured of {listed(unknown)}." if unknown else ""
        if cheap:
            silent += f" Too cheap for an exponent, with less than {LEAST:g} CPU s at one of the two: {listed(cheap)}."
        return (
            "CPU seconds of fit and draw grow about linearly between the two largest sizes measured (exponent "
            f"{low:g} to {high:g}) for {_exponents(linear) or 'none'}{rest}.{silent}"
        )

    def _within(self, what: str) -> str:
        own = self.along(what)
        own = own[own["size"] == self.asked(what)]
        stops = {str(row["generator"]): self.obstacle(row) for _, row in own.iterrows()}
        names = style.order(list(stops))
        able = [name for name in names if not stops[name]]
        unable = [f"{style.label(name)} ({stops[name]})" for name in names if stops[name]]
        asked = f"Within {self.budget}, {self.asked(what):,} {self.subject(what)} are in reach of"
        out = f"; out of reach of {', '.join(unable)}" if unable else ""
        return f"{asked} {listed(able) if able else 'none'}{out}."


def find(study: Study) -> list[Scale]:
    """Return what was measured with every table that has scores."""
    block, found = study.params.scale, []
    for dataset in block.tables:
        files = {name: study.paths.scale(dataset, name) for name in study.generators(dataset)}
        there = {name: path for name, path in files.items() if path.is_file()}
        scores = load_scores(list(there.values())) if there else None
        if scores is None or scores["value"].isna().all():
            continue
        records = {(dataset, name): gathering.machine(study.paths.scale_machine(dataset, name)) for name in there}
        found.append(Scale(dataset, block, points(scores, block), measured_on(records)))
    return found


def points(scores: pd.DataFrame, block: ScaleBlock) -> pd.DataFrame:
    """Return a row for every size that params.yaml names, from tidy costs.

    Returns:
        Columns generator, along ("rows" or "columns"), size, seconds, seconds_least, note, memory, memory_least and
        failed; seconds are those of fit and draw, "least" is what they had cost when they were ended.
    """
    told = scores["condition"].str.extract(r"^(?P<along>\w+)=(?P<size>\d+)$")
    own = scores.assign(along=told["along"], size=told["size"].astype(int))
    keys = ["generator", "along", "size"]
    named = {TOTAL: "seconds", PEAK: "memory"}
    both = [
        own[own["metric"] == metric].set_index(keys)[["value", "low", "note"]].rename(
            columns={"value": name, "low": f"{name}_least"}
        )
        for metric, name in named.items()
    ]  # fmt: skip
    wide = both[0].join(both[1].drop(columns="note")).reset_index()
    failed = wide["seconds"].isna() & ~wide["note"].str.startswith(NOT_RUN)
    asked = [
        size in (block.rows if along == ROWS else block.columns) for along, size in zip(wide["along"], wide["size"])
    ]
    return wide.assign(failed=failed)[asked].reset_index(drop=True)


def figure_note(found: Scale, what: str) -> str:
    """Return the caption of a figure."""
    own = found.along(what)
    fits = int(own["seconds"].notna().sum())
    rows = (
        f"Rows of {found.dataset}'s first split, drawn with replacement: so many rows, not so many different patients."
        if what == ROWS
        else f"SIMULATED: {found.block.wide_rows:,} rows; {BLOCK} columns each share a factor, half of them are binary."
    )
    ended = (
        f" A fit is ended at {found.block.stop_at:g} times the CPU seconds allowed, or where its memory passes what is "
        "allowed."
        if own["failed"].any()
        else ""
    )
    return (
        f"{rows} A point is one fit and one draw of as many rows, in a process of its own ({counted(fits, 'point')}); "
        f"no interval. Libraries are among the bytes.{ended} Sizes that would cost more than "
        f"{found.block.fit_cpu_seconds:g} CPU s were not run."
    )


def hangs_on(found: Scale) -> list[str]:
    """Return what the answer hangs on."""
    over = found.points[found.points["seconds"] > found.block.fit_cpu_seconds]
    gained = sorted({style.label(name) for name in over["generator"]})
    cheapest = over["seconds"].min() if len(over) else 0.0
    budget = (
        f"The budget. {counted(len(over), 'fit')} cost more than {found.block.fit_cpu_seconds:g} CPU s and came to an "
        f"end all the same ({', '.join(gained)}); the cheapest would be within a budget of {math.ceil(cheapest):,}."
        if len(over)
        else f"The budget. No fit that came to its end cost more than {found.block.fit_cpu_seconds:g} CPU s."
    )
    forecasts = found.points["note"].str.startswith(f"{NOT_RUN}would").sum()
    return [
        budget,
        f"The power law. Sizes left out for what it foretells: {int(forecasts)}. Early stopping can make a fit cheaper "
        "than that, and a step from cheap to costly work dearer.",
        "The settings. Every generator runs with those it has in the study, whatever the size.",
        *found.machines,
    ]


def _exponents(own: Iterable[Reach]) -> str:
    ordered = sorted(own, key=lambda reach: reach.exponent)
    return ", ".join(f"{style.label(reach.generator)} {reach.exponent:.2f}" for reach in ordered)
