"""Toys: the numbers of the papers, points that agree with their density, and names."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from saddlepoint.data import toys
from saddlepoint.data.catalog import is_named
from saddlepoint.errors import UsageError

FAMILIES = ("ring5", "grid9")


def cells(toy: toys.Toy, bins: int) -> tuple[np.ndarray, float]:
    """The middles of a grid over the toy's box (bins**D, D), and the size of one cell."""
    axes = [low + (high - low) * (np.arange(bins) + 0.5) / bins for low, high in toy.box]
    middles = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, toy.dimension)
    return middles, float(np.prod([(high - low) / bins for low, high in toy.box]))


@pytest.mark.parametrize("name", [*toys.names(), *FAMILIES])
def test_density_integrates_to_one_over_the_box(name: str) -> None:
    toy = toys.find(name)
    points, area = cells(toy, 300 if toy.dimension == 2 else 3000)
    # A box may leave out 1e-4 of the probability; sums of smooth functions on so fine a grid are nearly exact.
    assert toy.density(points).sum() * area == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", [*toys.names(), *FAMILIES])
def test_points_are_distributed_by_the_density(name: str) -> None:
    """Pearson's chi-square over the cells that expect at least five points; few points lie elsewhere."""
    toy, count = toys.find(name), 20_000
    coarse, fine = (30, 10) if toy.dimension == 2 else (100, 10)
    points, area = cells(toy, coarse * fine)
    by_cell = (toy.density(points) * area).reshape((coarse, fine) * toy.dimension)
    expected = count * by_cell.sum(tuple(range(1, 2 * toy.dimension, 2)))
    edges = [np.linspace(low, high, coarse + 1) for low, high in toy.box]
    observed, _ = np.histogramdd(toy.draw(count, seed=1)[0], edges)

    usual = expected >= 5
    square = ((observed - expected)[usual] ** 2 / expected[usual]).sum()
    # A chi-square law has mean k and variance 2k; the seed is fixed, so five deviations are ample.
    assert square < usual.sum() + 5 * np.sqrt(2 * usual.sum())
    rest = count - expected[usual].sum()
    # Five deviations of a Poisson law, and a point for the edges of the box.
    assert abs(count - observed[usual].sum() - rest) < 5 * np.sqrt(abs(rest)) + 1


@pytest.mark.parametrize("name", toys.names())
def test_points_are_a_pure_function_of_count_and_seed(name: str) -> None:
    toy = toys.find(name)
    points, modes = toy.draw(257, seed=3)
    again, same = toys.find(name).draw(257, seed=3)
    np.testing.assert_array_equal(points, again)
    assert points.dtype == np.float32
    assert points.shape == (257, toy.dimension)
    assert not np.array_equal(points, toy.draw(257, seed=4)[0])
    if toy.centers is None:
        assert modes is None
        assert same is None
        assert toy.std is None
        assert toy.weights is None
    else:
        np.testing.assert_array_equal(modes, same)
        assert modes is not None
        assert modes.dtype == np.int64


@pytest.mark.parametrize("name", toys.names())
def test_any_number_of_points(name: str) -> None:
    toy = toys.find(name)
    for count in (0, 1, 100_000):
        points, modes = toy.draw(count, seed=0)
        assert points.shape == (count, toy.dimension)
        assert modes is None or modes.shape == (count,)
        assert toy.density(points[:5]).shape == (min(count, 5),)
        assert (toy.density(points[:5]) > 0).all()


def test_rings_are_those_of_pacgan() -> None:
    toy = toys.find("ring8")
    assert toy.centers is not None
    assert toy.std == 0.01
    np.testing.assert_allclose(toy.centers[:3], [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)], [0, 1]], atol=1e-15)
    np.testing.assert_allclose(np.hypot(*toy.centers.T), 1)
    assert len(toys.find("ring100").centers) == 100


def test_grids_are_those_of_pacgan() -> None:
    toy = toys.find("grid25")
    assert toy.centers is not None
    assert toy.std == 0.05
    ticks = (-4, -2, 0, 2, 4)
    assert {tuple(center) for center in toy.centers.tolist()} == {(x, y) for x in ticks for y in ticks}
    assert toys.find("grid9").centers.min() == -2
    assert sorted(set(toys.find("grid4").centers.ravel())) == [-1, 1]


def test_points_lie_around_the_mode_they_name() -> None:
    toy = toys.find("grid25")
    points, modes = toy.draw(5_000, seed=0)
    distance = np.linalg.norm(points - toy.centers[modes], axis=1)
    # A Gaussian in the plane: exp(-4.5) lie farther than three deviations; four deviations of a binomial are 0.006.
    assert (distance > 3 * 0.05).mean() == pytest.approx(np.exp(-4.5), abs=0.006)
    assert np.bincount(modes, minlength=25).min() > 100


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("cirle", "did you mean circle?"),
        ("ring", "did you mean ring8?"),
        ("zzz", "one of: ring8, grid25, line"),
        ("ring0", "ring1 … ring100"),
        ("ring101", "ring1 … ring100"),
        ("grid24", "grid25"),
        ("grid0", "grid1"),
        ("grid999999999", "grid1024"),
    ],
)
def test_names_that_cannot_be_are_refused_with_one_that_can(name: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        toys.find(name)
    assert caught.value.fix is not None
    assert caught.value.fix.startswith(fix)
    assert caught.value.where == name


def test_a_family_is_known_by_its_head_whatever_its_number() -> None:
    for name in (*toys.names(), "ring3", "grid24", "ring0"):
        assert toys.is_toy(name)
    for name in ("ring", "grid", "ring-1", "ring8x", "Ring8", "ring٣", "digits", "./ring8", ""):
        assert not toys.is_toy(name)


def test_toys_have_names_of_their_own_and_say_what_they_are() -> None:
    for name in toys.names():
        toy = toys.find(name)
        assert not is_named(name)
        assert toy.name == name
        assert 10 < len(toy.what) < 80
    assert len({toys.find(name).what for name in toys.names()}) == len(toys.names())


def test_naming_toys_imports_no_torch() -> None:
    script = (
        "import sys\nfrom saddlepoint.data import toys\ntoys.find('ring8').draw(9, 0)\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
