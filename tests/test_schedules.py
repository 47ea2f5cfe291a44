"""Learning-rate schedules are factors in [0, 1] of the finished fraction."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.schedules import constant, linear_decay


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_constant_is_one(fraction: float) -> None:
    assert constant(fraction) == 1.0


@pytest.mark.parametrize(("fraction", "factor"), [(0.0, 1.0), (0.5, 1.0), (0.625, 0.75), (0.75, 0.5), (1.0, 0.0)])
def test_cyclegans_rate_falls_in_the_second_half(fraction: float, factor: float) -> None:
    assert linear_decay()(fraction) == pytest.approx(factor)


def test_decay_from_the_start_is_a_line() -> None:
    schedule = linear_decay(0.0)
    assert [schedule(step / 4) for step in range(5)] == pytest.approx([1, 0.75, 0.5, 0.25, 0])


@settings(derandomize=True, deadline=None)
@given(st.floats(0, 0.99), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_decay_stays_between_zero_and_one_and_never_rises(start: float, fractions: list[float]) -> None:
    early, late = (linear_decay(start)(fraction) for fraction in sorted(fractions))
    assert 0 <= late <= early <= 1
