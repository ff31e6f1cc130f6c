"""Frames become numbers and come back: the inverse always satisfies the schema."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

import toys
from synthcohort.encoding import Encoded, Encoder
from synthcohort.rng import Rng


@pytest.mark.parametrize("name", toys.ALL)
def test_round_trip_returns_categories_exactly_and_numbers_nearly(name):
    frame, schema = toys.ALL[name](500)
    encoder = Encoder.fit(frame, schema)
    back = schema.check(encoder.decode(encoder.encode(frame)))
    for column in schema.columns:
        if column.numeric:
            step = 0 if column.decimals is None else 10.0**-column.decimals
            assert np.abs(back[column.name] - frame[column.name]).max() <= step + 1e-6 * np.ptp(frame[column.name])
        else:
            assert back[column.name].equals(frame[column.name])


def test_encoded_numbers_are_standard_normal_with_extremes_where_n_normals_have_them():
    frame, schema = toys.numeric(2000)
    z = Encoder.fit(frame, schema).encode_numeric(frame)[:, 0]
    assert kstest(z, "norm").pvalue > 0.05
    assert z.max() == pytest.approx(norm.ppf(1 - 1 / 4002), abs=1e-9)
    assert z.min() == pytest.approx(-z.max())


def test_any_number_decodes_to_a_valid_row():
    frame, schema = toys.mixed(200)
    encoder = Encoder.fit(frame, schema)
    wild = Rng(1).numpy().standard_normal((500, 2)) * 5
    codes = np.column_stack([Rng(2).numpy().integers(0, k, 500) for k in encoder.levels])
    schema.check(encoder.decode(Encoded(wild, codes)))


def test_overshooting_numbers_pile_up_at_the_extremes_no_more_than_training_rows_do():
    frame, schema = toys.numeric(1000)
    encoder = Encoder.fit(frame, schema)
    z = Rng(1).numpy().standard_normal((20_000, 4))
    a = encoder.decode(Encoded(z, np.empty((20_000, 0), dtype=int)))["a"]
    assert ((a == frame["a"].min()) | (a == frame["a"].max())).mean() < 2 / 1000 + 0.001


def test_the_encoder_learns_from_the_rows_it_is_given_only():
    frame, schema = toys.numeric(300)
    small = Encoder.fit(frame.iloc[:100], schema)
    assert np.array_equal(small.quantiles, Encoder.fit(frame.iloc[:100].copy(), schema).quantiles)
    assert not np.array_equal(small.quantiles, Encoder.fit(frame.iloc[100:], schema).quantiles)


def test_state_restores_the_same_maps():
    frame, schema = toys.mixed(300)
    encoder = Encoder.fit(frame, schema)
    again = Encoder.restore(schema, encoder.state())
    assert np.array_equal(again.encode(frame).numeric, encoder.encode(frame).numeric)


def test_no_rows_no_numeric_and_no_categorical_columns_are_ordinary():
    for make in toys.ALL.values():
        frame, schema = make(50)
        encoded = Encoder.fit(frame, schema).encode(frame)
        assert encoded.numeric.shape == (50, len(schema.numeric))
        assert encoded.codes.shape == (50, len(schema.categorical))
    with pytest.raises(ValueError, match="at least one training row"):
        Encoder.fit(frame[:0], schema)
