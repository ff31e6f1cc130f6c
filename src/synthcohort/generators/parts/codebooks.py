r"""How does a level become numbers that noise can be added to, and how is it read from noisy ones?

A column of K levels has a codebook [K, w] of numbers -1 and 1, one row a level, and is read as the level whose row is
nearest, which among rows of equal length is the one with the largest product. There are two,

    one number a level     w = K, 1 at the level's own place; of K = 2 levels one number says all,
    binary digits          w = ceil(log2 K), the digits of the level's number             [Chen 2023, "analog bits"],

the first as in [Jolicoeur-Martineau 2024]: trees see each level by one split, but K numbers are K things to learn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def one_a_level(k: int) -> np.ndarray:
    """Return the codebook of k levels with one number a level, [k, k]; [2, 1] of two."""
    rows = 2.0 * np.eye(k) - 1.0
    return rows[:, 1:] if k == 2 else rows


def binary(k: int) -> np.ndarray:
    """Return the codebook of k levels by their binary digits, [k, max(1, ceil(log2 k))]."""
    digits = max(1, (k - 1).bit_length())
    return 2.0 * (np.arange(k)[:, None] >> np.arange(digits) & 1) - 1.0


def codebooks(levels: Sequence[int], most: int) -> list[np.ndarray]:
    """Return one codebook a column: the columns of most levels in binary, as few as bring the numbers to `most`.

    Args:
        levels: K[j] of the Q columns.
        most: numbers of all columns together; more only if they are all in binary.
    """
    books = [one_a_level(k) for k in levels]
    for j in sorted(range(len(levels)), key=lambda j: -levels[j]):
        if sum(book.shape[1] for book in books) <= most:
            break
        books[j] = binary(levels[j])
    return books


def to_numbers(codes: np.ndarray, books: Sequence[np.ndarray]) -> np.ndarray:
    """Return codes [n, Q] as the rows of their codebooks, [n, sum(w)]."""
    return np.hstack([np.empty((len(codes), 0)), *(book[codes[:, j]] for j, book in enumerate(books))])


def to_codes(numbers: np.ndarray, books: Sequence[np.ndarray]) -> np.ndarray:
    """Return the codes [n, Q] whose rows are nearest to numbers [n, sum(w)]."""
    codes = np.zeros((len(numbers), len(books)), np.int64)
    place = 0
    for j, book in enumerate(books):
        width = book.shape[1]
        codes[:, j] = (numbers[:, place : place + width] @ book.T).argmax(1)
        place += width
    return codes
