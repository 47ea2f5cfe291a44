"""Learning-rate schedules: factors on a declared rate as functions of the finished fraction of a stage."""

from __future__ import annotations

from collections.abc import Callable


def constant(fraction: float) -> float:
    """Always 1."""
    return 1.0


def linear_decay(start: float = 0.5) -> Callable[[float], float]:
    """Holds 1 until `start` of the stage, then falls linearly to 0 at its end (Zhu et al. 2017, section 4).

    Args:
        start: fraction of the stage in [0, 1]; from 1 on there is no decay.
    """

    def schedule(fraction: float) -> float:
        return 1.0 if fraction <= start else (1.0 - fraction) / (1.0 - start)

    return schedule
