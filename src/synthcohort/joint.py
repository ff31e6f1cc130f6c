"""How many rows of each label and group does a balanced table have?

Rows are counted in cells: a label beside a group of every sensitive attribute, [K, G_1, ..., G_k]. With p the shares of
the training rows, two laws of that shape keep the label as observed and cut its tie to the groups:

- balanced [Yang 2024, sec. 4.3]:     q(y, g) = p(y) / (G_1 ... G_k), every attribute uniform;
- independent [Kamiran & Calders 2012]: q(y, g) = p(y) p(g), the groups as they are.

The dial d in [0, 1] leads from the observed law to either: (1 - d) p + d q.

A cell that no row is in can be given none: its share goes to the other cells of its label, in proportion to theirs
(`supported`). A group of fewer than `LEAST` rows is not balanced: its cells keep the share they have, and the others
are made even among themselves; else a level of one person would be a third of a table. So the label stays as observed
for any table; groups are as even as their rows allow. A cell of few rows in a larger group is asked for in full: what
is drawn there repeats, or extrapolates from, those few, and `fewest` says how few.

Departs: the source draws label and attributes of each row at random and independently. Here the numbers of rows are the
law's own, rounded by largest remainders, so that a table has the joint it was asked for and not one near it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.sensitive import Attribute

LEAST = 10  # rows of a group that is balanced


class JointError(ValueError):
    """Rows cannot have the joint that was asked for; the message names the label."""


@dataclass(frozen=True)
class Grid:
    """The cells of label and groups.

    Args:
        target: name of the label's column.
        labels: its levels.
        attributes: the sensitive attributes.
    """

    target: str
    labels: tuple[str, ...]
    attributes: tuple[Attribute, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of labels, then of the groups of every attribute: (K, G_1, ..., G_k)."""
        return (len(self.labels), *(len(a.groups) for a in self.attributes))

    @property
    def columns(self) -> list[str]:
        """The columns that decide the cell, the label's first."""
        return [self.target, *(a.column for a in self.attributes)]

    def cells(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the number of each row's cell, [n] int64."""
        codes = [frame[self.target].cat.codes.to_numpy(dtype=np.int64), *(a.codes(frame) for a in self.attributes)]
        return np.ravel_multi_index(codes, self.shape).astype(np.int64)

    def counts(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the rows in every cell, [K, G_1, ..., G_k] int64."""
        return np.bincount(self.cells(frame), minlength=math.prod(self.shape)).reshape(self.shape)

    def name(self, cell: int) -> str:
        """Return a cell in words."""
        label, *groups = np.unravel_index(cell, self.shape)
        named = [f"{a.column} {a.groups[g]}" for a, g in zip(self.attributes, groups, strict=True)]
        return ", ".join([f"{self.target} {self.labels[label]}", *named])


def grid(schema: Schema, attributes: tuple[Attribute, ...]) -> Grid:
    """Return the cells of the table's label and these attributes.

    Raises:
        JointError: if the label is numeric, or a column comes twice.
    """
    if schema.target.numeric:
        raise JointError(f"target {schema.target.name!r} is numeric: balancing needs classes")
    columns = [a.column for a in attributes]
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise JointError(f"sensitive column {repeated[0]!r} is named twice; name it once")
    return Grid(schema.target.name, schema.target.levels, attributes)


def balanced(counts: np.ndarray, dial: float) -> np.ndarray:
    """Return the law on the way from observed (dial 0) to every attribute uniform (dial 1), of the shape of `counts`.

    Args:
        counts: [K, G_1, ..., G_k] training rows.
        dial: in [0, 1].

    Raises:
        ValueError: if the dial lies outside.
    """
    observed, small = counts / counts.sum(), _small(counts)
    left = np.where(small, 0.0, observed).sum(axis=tuple(range(1, counts.ndim)), keepdims=True)  # [K, 1, ..., 1]
    even = np.where(small, 0.0, left / max(1, np.count_nonzero(~small[0])))
    return _mixed(counts, supported(even, counts) + np.where(small, observed, 0.0), dial)


def independent(counts: np.ndarray, dial: float) -> np.ndarray:
    """Return the law on the way from observed to label and groups independent; arguments as in `balanced`."""
    free = _by_label(counts) * (counts.sum(axis=0, keepdims=True) / counts.sum())
    return _mixed(counts, supported(free, counts), dial)


def supported(law: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the law without the cells that have no row, whose shares go to the others of their label.

    Raises:
        JointError: if a label that has a share has no row at all.
    """
    kept = np.where(counts > 0, law, 0.0)
    axes = tuple(range(1, law.ndim))
    wanted, held = law.sum(axis=axes, keepdims=True), kept.sum(axis=axes, keepdims=True)
    lost = np.flatnonzero((wanted > 0) & (held == 0))
    if len(lost):
        raise JointError(f"label number {lost[0]} is asked for, but none of the {int(counts.sum())} rows has it")
    return kept * np.divide(wanted, held, out=np.zeros_like(wanted), where=held > 0)


def numbers(law: np.ndarray, rows: int) -> np.ndarray:
    """Return how many of `rows` rows each cell has, of the law's shape.

    Rows go to the labels, then those of each label to its cells, both by largest remainders: the label is as close to
    the law as whole rows can be.
    """
    flat = law.reshape(len(law), -1)
    labels = _rounded(flat.sum(axis=1), rows)
    return np.stack([_rounded(own, int(n)) for own, n in zip(flat, labels, strict=True)]).reshape(law.shape)


def drawn(cells: np.ndarray, wanted: np.ndarray, rng: Rng) -> np.ndarray:
    """Return row numbers in random order, `wanted` of each cell.

    No row comes twice more often than another of its cell: all of them as often as they fit, the rest without
    replacement.

    Args:
        cells: [n] cell of each row.
        wanted: rows of each cell, of any shape; 0 where the cell has no row.
        rng: chooses rows and order.
    """
    draw, parts = rng.numpy(), [np.empty(0, dtype=np.int64)]
    for cell in np.flatnonzero(wanted):
        own, count = np.flatnonzero(cells == cell), int(wanted.flat[cell])
        if not len(own):
            raise JointError(f"cell {cell} has no row, but {count} are asked for")
        parts += [np.tile(own, count // len(own)), draw.choice(own, count % len(own), replace=False)]
    return draw.permutation(np.concatenate(parts))


def fewest(law: np.ndarray, counts: np.ndarray) -> tuple[int, int]:
    """Return the cell with the fewest rows among those that the law asks for, and how many it has."""
    held = np.where(law.ravel() > 0, counts.ravel(), counts.sum() + 1)
    return int(held.argmin()), int(held.min())


def gap(law: np.ndarray, other: np.ndarray) -> float:
    """Return the total variation distance of two laws, or of counts taken as shares, in [0, 1]."""
    return float(np.abs(law / law.sum() - other / other.sum()).sum() / 2.0)


def _rounded(shares: np.ndarray, rows: int) -> np.ndarray:
    """Return whole numbers in proportion to `shares` that sum to `rows`; no rows of no shares are none."""
    if not rows:
        return np.zeros(len(shares), dtype=np.int64)
    exact = rows * shares / shares.sum()
    found = np.floor(exact).astype(np.int64)
    found[np.argsort(found - exact, kind="stable")[: rows - int(found.sum())]] += 1
    return found


def _small(counts: np.ndarray) -> np.ndarray:
    """Return which cells are of a group with fewer than `LEAST` rows, of the shape of `counts`."""
    found = np.zeros(counts.shape, dtype=bool)
    for axis in range(1, counts.ndim):
        others = tuple(other for other in range(counts.ndim) if other != axis)
        found |= counts.sum(axis=others, keepdims=True) < LEAST
    return found


def _by_label(counts: np.ndarray) -> np.ndarray:
    return counts.sum(axis=tuple(range(1, counts.ndim)), keepdims=True) / counts.sum()


def _mixed(counts: np.ndarray, free: np.ndarray, dial: float) -> np.ndarray:
    if not 0 <= dial <= 1:
        raise ValueError(f"dial is {dial}; it must lie between 0 (as observed) and 1 (free of the label)")
    return (1.0 - dial) * counts / counts.sum() + dial * free
