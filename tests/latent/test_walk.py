"""Paths between latents: ends, norms, planes, loops, and the cases that have no angle."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from saddlepoint.errors import UsageError
from saddlepoint.latent.walk import explore, lerp, loop, slerp

SIZES = st.integers(2, 24)
SEEDS = st.integers(0, 2**31)
PARTS = st.floats(0, 1)
SCALES = st.floats(1e-3, 1e3)


def pair(seed, size, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, size, generator=generator, dtype=torch.float64)
    assume(float(a.norm()) > 1e-6 and float(b.norm()) > 1e-6)
    return a, b * scale


def angle(a, b):
    u, v = a / a.norm(), b / b.norm()
    return float(2 * torch.atan2((u - v).norm(), (u + v).norm()))


@settings(max_examples=60, deadline=None)
@given(SEEDS, SIZES, SCALES)
def test_paths_begin_and_end_where_they_should(seed, size, scale):
    a, b = pair(seed, size, scale)
    for path in (lerp, slerp):
        torch.testing.assert_close(path(a, b, 0.0), a, rtol=0, atol=1e-12 * float(a.norm()))
        torch.testing.assert_close(path(a, b, 1.0), b, rtol=0, atol=1e-12 * float(b.norm()))


@settings(max_examples=60, deadline=None)
@given(SEEDS, SIZES, SCALES, PARTS)
def test_the_norm_goes_straight_from_one_to_the_other(seed, size, scale, t):
    a, b = pair(seed, size, scale)
    assert float(slerp(a, b, t).norm()) == pytest.approx(float(a.norm() * (1 - t) + b.norm() * t), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(SEEDS, SIZES, SCALES, PARTS)
def test_the_angle_grows_evenly_and_the_path_stays_in_one_plane(seed, size, scale, t):
    a, b = pair(seed, size, scale)
    whole, point = angle(a, b), slerp(a, b, t)
    assert angle(a, point) == pytest.approx(t * whole, abs=1e-7)
    assert angle(point, b) == pytest.approx((1 - t) * whole, abs=1e-7)
    # Coplanar: the third singular value of the three directions vanishes.
    directions = torch.stack([vector / vector.norm() for vector in (a, b, point)])
    if size > 2:
        assert float(torch.linalg.svdvals(directions)[2]) < 1e-9


@settings(max_examples=30, deadline=None)
@given(SEEDS, SIZES, PARTS)
def test_walking_back_is_the_same_way(seed, size, t):
    a, b = pair(seed, size)
    torch.testing.assert_close(slerp(a, b, t), slerp(b, a, 1 - t), rtol=0, atol=1e-9)


def test_a_quarter_turn_by_hand():
    middle = slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5)
    torch.testing.assert_close(middle, torch.full((2,), math.sqrt(2)))
    torch.testing.assert_close(lerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.25), torch.tensor([1.5, 0.5]))


def test_the_line_leaves_the_sphere_and_the_circle_does_not():
    a, b = torch.randn(2, 512, generator=torch.Generator().manual_seed(0))
    assert float(lerp(a, b, 0.5).norm()) < 0.8 * math.sqrt(512)
    assert float(slerp(a, b, 0.5).norm()) == pytest.approx(math.sqrt(512), rel=0.06)


def test_parallel_and_nearly_parallel_vectors_give_the_straight_line():
    a = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    for b in (a, 2 * a, a + torch.tensor([1e-9, 0.0, 0.0]), a * (1 + 1e-15)):
        torch.testing.assert_close(slerp(a, b, 0.3), lerp(a, b, 0.3), rtol=0, atol=1e-9)


@pytest.mark.parametrize("wobble", [0.0, 1e-15, 1e-9])
def test_opposite_vectors_take_a_half_turn_through_no_zero(wobble):
    a = torch.tensor([3.0, 0.1, 4.0], dtype=torch.float64)
    b = -a + torch.tensor([wobble, 0.0, 0.0])
    middle = slerp(a, b, 0.5)
    assert float(middle.norm()) == pytest.approx(float(a.norm()), rel=1e-6)
    assert float(middle @ a) == pytest.approx(0, abs=1e-5)
    torch.testing.assert_close(slerp(a, b, 1.0), b, rtol=0, atol=1e-6)
    assert torch.equal(middle, slerp(a, b, 0.5))


def test_a_zero_vector_has_a_straight_way_to_anywhere():
    a, zero = torch.tensor([3.0, 4.0]), torch.zeros(2)
    torch.testing.assert_close(slerp(zero, a, 0.25), a / 4)
    torch.testing.assert_close(slerp(a, zero, 0.25), a * 0.75)
    assert torch.equal(slerp(zero, zero, 0.5), zero)


def test_a_batch_is_its_rows_whatever_they_are_and_t_may_differ_by_row():
    a = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [1.0, 1.0, 0.0]])
    b = torch.tensor([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 4.0, 6.0], [0.0, 5.0, 1.0]])
    t = torch.tensor([0.1, 0.5, 0.7, 0.9])
    rows = torch.stack([slerp(*row) for row in zip(a, b, t, strict=True)])
    torch.testing.assert_close(slerp(a, b, t), rows)
    torch.testing.assert_close(slerp(a, b, 0.3)[3], slerp(a[3], b[3], 0.3))
    assert slerp(a, b, t).dtype == torch.float32


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 5), st.integers(1, 6), st.sampled_from([lerp, slerp]))
def test_a_loop_passes_its_points_and_closes_without_a_double_frame(seed, count, steps, path):
    points = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    frames = loop(points, steps, path=path)
    assert frames.shape == (count * steps, 8)
    torch.testing.assert_close(frames[::steps], points)
    moves = (frames - frames.roll(-1, dims=0)).norm(dim=1)
    assert float(moves.min()) > 1e-4
    # The seam is a step like those before it on the same stretch: no jump back to the start.
    longest = (points - points.roll(-1, dims=0)).norm(dim=1).max() * math.pi
    assert float(moves[-1]) <= float(longest) / steps + 1e-4


def test_the_notebooks_film():
    states = torch.randn(15, 100, 4, generator=torch.Generator().manual_seed(0))
    frames = list(explore(states, 24))
    assert len(frames) == 15 * 24
    for index, step in ((0, 0), (3, 7), (14, 23)):
        before, after = states[index], states[(index + 1) % 15]
        torch.testing.assert_close(frames[index * 24 + step], before + step / 24 * (after - before))


def test_frames_are_made_one_by_one():
    calls = []

    def path(before, after, t):
        calls.append(t)
        return before

    frames = explore(torch.zeros(3, 2, 4), 5, path)
    assert next(frames).shape == (2, 4)
    assert calls == [0.0]


def test_one_point_is_a_walk_on_the_spot():
    assert torch.equal(loop(torch.ones(1, 3), 4, path=lerp), torch.ones(4, 3))


@pytest.mark.parametrize(("shape", "steps"), [((0, 4), 3), ((2, 4), 0), ((4,), 3)])
def test_a_walk_without_a_step_or_a_state_is_refused(shape, steps):
    with pytest.raises(UsageError, match="a walk needs"):
        loop(torch.zeros(shape), steps)
