"""Codebooks: their sizes, the round trip, the nearest row, and which columns are coded in binary."""

import numpy as np
import pytest

from synthcohort.generators.parts.codebooks import binary, codebooks, one_a_level, to_codes, to_numbers
from synthcohort.rng import Rng

RNG = Rng(4)
LEVELS = (2, 3, 1, 2, 5, 42)


@pytest.mark.parametrize(
    ("most", "widths"), [(100, [1, 3, 1, 1, 5, 42]), (17, [1, 3, 1, 1, 5, 6]), (0, [1, 2, 1, 1, 3, 6])]
)
def test_codes_survive_their_numbers_and_noise_below_one(most, widths) -> None:
    """Rows of one codebook differ in two places or one, so noise below 1 leaves the nearest row where it was."""
    codes = np.column_stack([RNG.branch(j).numpy().integers(0, k, 200) for j, k in enumerate(LEVELS)])
    books = codebooks(LEVELS, most)
    assert [book.shape[1] for book in books] == widths
    numbers = to_numbers(codes, books)
    assert numbers.shape == (200, sum(widths))
    assert set(np.unique(numbers)) == {-1.0, 1.0}
    noisy = numbers + RNG.numpy().uniform(-0.9, 0.9, numbers.shape)
    assert np.array_equal(to_codes(noisy, books), codes)


def test_numbers_of_one_a_level_are_read_as_the_largest() -> None:
    numbers = RNG.numpy().standard_normal((500, 4))
    assert np.array_equal(to_codes(numbers, [one_a_level(4)])[:, 0], numbers.argmax(1))
    assert np.array_equal(to_codes(numbers[:, :1], [one_a_level(2)])[:, 0], numbers[:, 0] > 0)


def test_a_binary_level_is_the_nearest_row() -> None:
    book, numbers = binary(5), RNG.numpy().standard_normal((500, 3))
    distance = np.linalg.norm(numbers[:, None] - book, axis=2)
    assert np.array_equal(to_codes(numbers, [book])[:, 0], distance.argmin(1))
    assert book[0].tolist() == [-1, -1, -1] and book[3].tolist() == [1, 1, -1]


def test_the_columns_of_most_levels_go_first_and_no_more_than_needed() -> None:
    assert [book.shape[1] for book in codebooks((7, 16, 7), 20)] == [7, 4, 7]
    assert [book.shape[1] for book in codebooks((7, 16, 7), 17)] == [3, 4, 7]


def test_a_table_without_levels_has_no_numbers() -> None:
    assert to_numbers(np.zeros((3, 0), np.int64), []).shape == (3, 0)
    assert to_codes(np.zeros((3, 0)), []).shape == (3, 0)
