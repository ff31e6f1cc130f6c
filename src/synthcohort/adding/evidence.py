"""What do the cells of one column say about it?

Each function answers one question from the cells alone and says why, in words that hold no cell: which numbers stand
for "missing", whether the column numbers the rows, whether it holds dates, within which round bounds its numbers lie.

A number c is taken for a missing code if it is one that people use (-1, -9, 99, 999, ...), at least `MASS` cells hold
it, and it stands apart from all other numbers y, codes left out:

    gap > max y - min y                          the gap being min y - c below, c - max y above, or
    c < 0 <= min y  and  gap > (max y - min y) / 10, or
    c < 0 <= min y  and  more than twice as many cells as min y has.

Where the other numbers are so few that they are levels, the gap must be more than twice their range.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthcohort.datasets.csv_table import many_values

SMALL = 11  # fewer patients than this are not spoken of
MASS = 3  # cells that a code holds at least
CODES = (-1.0, *(sign * float(digit * n) for n in (1, 2, 3, 4, 5) for digit in "987" for sign in (-1, 1)))
_TOO_SHORT = {7.0, 8.0, 9.0}  # with a sign only: as such they are ordinary numbers
_PARTS = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})"
_NAMED = r"\d{1,2}[ .-]*[^\W\d_]{3,10}[ .,-]*\d{2,4}|[^\W\d_]{3,10}\.? \d{1,2},? \d{4}"
_DATE = re.compile(rf"(?:{_PARTS}|{_NAMED})(?:[ T]+\d{{1,2}}:\d{{2}}.*)?\Z")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\Z")
_MOSTLY = 0.95  # of the cells that are not missing


def missing_codes(numbers: pd.Series) -> dict[float, str]:
    """Return number -> why it stands for "missing".

    Args:
        numbers: [m] the numbers of a column, without holes.
    """
    counts = numbers.value_counts()
    asked = [code for code in CODES if code not in _TOO_SHORT and counts.get(code, 0) >= MASS]
    others = counts[~counts.index.isin(asked)]
    if others.empty:
        return {}
    return {code: why for code in asked if (why := _why_code(code, int(counts[code]), others))}


def _why_code(code: float, mass: int, others: pd.Series) -> str:
    """Return why `code` stands apart from the other numbers and their counts, "" if it does not."""
    low, high = float(others.index.min()), float(others.index.max())
    side, edge = ("below", low) if code < low else ("above", high)
    gap = low - code if code < low else code - high
    lone = code < 0 <= low
    if many_values(set(others.index)):
        apart = gap > high - low or (lone and (gap > (high - low) / 10 or mass > 2 * others[edge]))
    else:
        apart = gap > 2 * (high - low)
    said = f"in {count(mass)} cells, {side} every other number" + (", of which none is negative" if lone else "")
    return said if apart else ""


def count(n: int) -> str:
    """Return a count as text, small ones only as small."""
    return f"{n:,}" if n >= SMALL else f"fewer than {SMALL}"


def dates(text: pd.Series) -> str:
    """Return why the cells are dates or times of day, "" if they are not.

    Args:
        text: [m] the cells of a column, without holes.
    """
    different = pd.Series(text.unique()[:1000])
    if different.str.fullmatch(r"(19|20)\d{6}").mean() > _MOSTLY:
        parsed = pd.to_datetime(different, format="%Y%m%d", errors="coerce")
    elif different.str.match(_DATE).mean() > _MOSTLY or different.str.match(_CLOCK).mean() > _MOSTLY:
        parsed = _parsed(different)
    else:
        return ""
    return "dates or times" if parsed.notna().mean() > _MOSTLY else ""


def _parsed(text: pd.Series) -> pd.Series:
    with warnings.catch_warnings():  # that a day stands first is no fault here
        warnings.simplefilter("ignore")
        tries = [pd.to_datetime(text, format="mixed", dayfirst=first, errors="coerce", utc=True) for first in (0, 1)]
    return max(tries, key=lambda found: found.notna().sum())


def row_number(numbers: pd.Series) -> str:
    """Return why a column of numbers only numbers the rows, "" if it does not.

    Args:
        numbers: [m] in the file's order, without holes.
    """
    values = numbers.to_numpy()
    if len(np.unique(values)) < len(values) or (values % 1).any():
        return ""
    if np.ptp(values) == len(values) - 1:
        return "a running number: whole, none twice, none left out"
    return "a running number: whole, and each is larger than the one before" if (np.diff(values) > 0).all() else ""


def bounds(numbers: pd.Series) -> tuple[float | None, float | None]:
    """Return round numbers that all cells lie between, None for an end that few cells come near.

    Steps are powers of ten, the largest within the range. An end is left open if fewer than `SMALL` cells lie in its
    step, since the bound would tell how extreme a few patients are; it is 0 if no number is negative.

    Args:
        numbers: [m] without holes, not all the same.
    """
    smallest, largest = float(numbers.min()), float(numbers.max())
    power = math.floor(math.log10(largest - smallest))
    step = 10.0**power
    low = round(math.floor(smallest / step) * step, max(0, -power))
    high = round(math.ceil(largest / step) * step, max(0, -power))
    low -= step * (low > smallest)  # where the quotient was rounded up
    high += step * (high < largest)
    few_low, few_high = (numbers < low + step).sum() < SMALL, (numbers > high - step).sum() < SMALL
    return (0.0 if smallest >= 0 else None) if few_low else low, None if few_high else high


def spellings(text: pd.Series, numbers: pd.Series, codes: Mapping[float, str]) -> dict[str, str]:
    """Return how the cells write each code -> why it is one.

    Args:
        text: [m] the cells; `numbers`: [m] what they say.
    """
    return {str(cell): codes[number] for cell, number in zip(text, numbers) if number in codes}
