"""The Dirac-GAN: what our losses and penalties do near the answer, step by step, against the exact eigenvalues."""

from __future__ import annotations

import math

import numpy as np
import pytest

from saddlepoint import penalties

from .toys.dirac import (
    BOUND,
    GAMMA,
    OBJECTIVES,
    PENALTIES,
    RATE,
    Dirac,
    Objective,
    Penalty,
    at_once,
    distance,
    exact,
    fitted,
    growth,
    in_turn,
    near_rest,
)

STEPS = 5
"""Enough to fit a map of two numbers, and few enough that ψ keeps its sign."""
LONG = 400
START = (1.0, 1.0)

EVERY_OBJECTIVE = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
EVERY_PENALTY = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES.keys())


def r1_by(gamma: float) -> Penalty:
    return Penalty(lambda game, real, fake: gamma / 2 * penalties.r1(game.discriminator, real), lambda objective: gamma)


def left_after(objective: str, penalty: str) -> float:
    """How far the fakes still are from the data after a long game, both players moving at once."""
    return distance(at_once(Dirac(OBJECTIVES[objective], PENALTIES[penalty], START), LONG))


@EVERY_OBJECTIVE
@EVERY_PENALTY
@pytest.mark.parametrize("alternating", [False, True], ids=["at once", "in turn"])
def test_growth_per_step_is_the_exact_eigenvalue(objective: Objective, penalty: Penalty, alternating: bool) -> None:
    walk = in_turn if alternating else at_once
    matrix, rest = fitted(walk(near_rest(objective, penalty), STEPS))
    expected = exact(objective, penalty, alternating=alternating)
    # The map itself is met to 1e-5; where its two eigenvalues fall together, they are as sharp as the root of that.
    np.testing.assert_allclose(matrix, expected, atol=1e-5)
    assert growth(matrix) == pytest.approx(growth(expected), abs=1e-3)
    np.testing.assert_allclose(rest, [0, penalty.rest(objective)], atol=1e-5)


@pytest.mark.parametrize(("name", "slope"), [("minimax", 0.5), ("non_saturating", 0.5), ("relativistic", 0.5),
                                             ("wasserstein", 1.0), ("hinge", 1.0)])  # fmt: skip
def test_published_growth_without_a_penalty(name: str, slope: float) -> None:
    objective = OBJECTIVES[name]
    assert growth(exact(objective, PENALTIES["none"], alternating=False)) == pytest.approx(math.hypot(1, RATE * slope))
    assert growth(exact(objective, PENALTIES["none"], alternating=True)) == pytest.approx(1)
    # The growth of a whole trajectory, not of a fitted map: over one turn of the spiral the distance is what counts.
    path = at_once(Dirac(objective, PENALTIES["none"], (1e-3, 0.0)), 100)
    ratio = float(np.linalg.norm(path[-1]) / np.linalg.norm(path[0])) ** (1 / 100)
    assert ratio == pytest.approx(math.hypot(1, RATE * slope), abs=1e-5)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 1.7])
def test_published_eigenvalues_with_r1(gamma: float) -> None:
    matrix, _ = fitted(at_once(near_rest(OBJECTIVES["non_saturating"], r1_by(gamma)), STEPS))
    # Of the flow, d/dt = (M - 1) / η.
    measured = np.sort_complex(np.linalg.eigvals((matrix - np.eye(2)) / RATE))
    root = np.emath.sqrt(gamma**2 / 4 - 1 / 4)
    np.testing.assert_allclose(measured, np.sort_complex([-gamma / 2 - root, -gamma / 2 + root]), atol=1e-3)


def test_damping_is_critical_at_gamma_one() -> None:
    speeds = {}
    for gamma in (0.8, 0.9, 1.0, 1.1, 1.2):
        matrix, _ = fitted(at_once(near_rest(OBJECTIVES["non_saturating"], r1_by(gamma)), STEPS))
        speeds[gamma] = growth(matrix)
        oscillates = bool(np.abs(np.linalg.eigvals(matrix).imag).max() > RATE * 0.1)
        assert oscillates == (gamma < 1)
    assert min(speeds, key=lambda gamma: speeds[gamma]) == 1.0


def test_r1_and_r2_together_are_twice_the_gamma() -> None:
    objective = OBJECTIVES["relativistic"]
    both = at_once(near_rest(objective, PENALTIES["r1_r2"]), STEPS)
    np.testing.assert_allclose(both, at_once(near_rest(objective, r1_by(2 * GAMMA)), STEPS), rtol=1e-12)


@pytest.mark.parametrize(
    ("objective", "penalty"),
    [
        ("non_saturating", "none"),
        ("minimax", "none"),
        ("relativistic", "none"),
        ("hinge", "none"),
        ("wasserstein", "none"),
        ("wasserstein", "clip"),
        ("wasserstein", "gradient_penalty"),
        ("wasserstein", "gradient_penalty_one_sided"),
        ("non_saturating", "gradient_penalty"),
        ("non_saturating", "dragan"),
        ("wasserstein", "instance_noise"),
    ],
)
def test_what_must_not_converge_does_not(objective: str, penalty: str) -> None:
    assert left_after(objective, penalty) > 0.1


@pytest.mark.parametrize(
    ("objective", "penalty"),
    [
        ("non_saturating", "r1"),
        ("non_saturating", "r2"),
        ("non_saturating", "gradient_penalty_zero"),
        ("non_saturating", "instance_noise"),
        ("least_squares", "instance_noise"),
        ("wasserstein", "r1"),
        ("hinge", "r1"),
        ("relativistic", "r1_r2"),
        ("maximum_likelihood", "r1"),
    ],
)
def test_what_must_converge_does(objective: str, penalty: str) -> None:
    # The last quarter begins at time 30; the slowest, instance noise, has come down to e^(-30/4) = 6e-4 by then.
    assert left_after(objective, penalty) < 1e-3


@pytest.mark.parametrize("penalty", ["none", "clip", "gradient_penalty"])
def test_taking_turns_does_not_make_it_converge(penalty: str) -> None:
    path = in_turn(Dirac(OBJECTIVES["wasserstein"], PENALTIES[penalty], START), LONG // 2)
    assert distance(path) > 0.1
    if PENALTIES[penalty].clip is not None:
        assert np.abs(path[1:, 0]).max() == pytest.approx(BOUND)


def test_the_one_loop_lets_the_discriminator_move_first() -> None:
    wasserstein = OBJECTIVES["wasserstein"]
    game = Dirac(wasserstein, PENALTIES["none"], (0.0, 1.0))
    # ψ ← 0 - 0.1 · 1, and only then θ ← 1 + 0.1 · ψ with the new ψ.
    np.testing.assert_allclose(in_turn(game, 1)[-1], [-0.1, 0.99], rtol=1e-12)
    game = Dirac(wasserstein, PENALTIES["none"], (0.0, 1.0))
    np.testing.assert_allclose(at_once(game, 1)[-1], [-0.1, 1.0], rtol=1e-12)
