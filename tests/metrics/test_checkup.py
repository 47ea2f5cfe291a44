"""What a look sees, on samples whose fault is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from saddlepoint.metrics.checkup import SIDE, Eye, Sight, features, separation

GENERATOR = torch.Generator().manual_seed(0)
DATA = torch.randn(512, 2, generator=GENERATOR)
FRESH = torch.randn(256, 2, generator=GENERATOR)


def sight(fake: Tensor) -> Sight:
    return Eye(DATA, 256).look(fake)


def test_more_of_the_data_look_like_the_data() -> None:
    seen = sight(FRESH)
    # 256 points: deviations of a few per cent.
    assert seen.diversity == pytest.approx(1, abs=0.1)
    assert seen.spread == pytest.approx(1, abs=0.1)
    assert seen.coverage > 0.85
    assert seen.strays < 0.15
    assert seen.distance < 0.1
    assert seen.nearest == pytest.approx(1, abs=0.3)
    assert all(abs(number) < 0.2 for number in seen.place)


def test_copies_of_one_sample_for_each_class_are_diverse_and_have_no_variety() -> None:
    centers, labels = torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.arange(256) % 2
    eye = Eye(centers[labels] + FRESH, 128, labels=labels)
    again = eye.look(centers[labels[:128]] + DATA[:128], labels[:128])
    copies = eye.look(centers[labels[:128]], labels[:128])
    assert again.variety == pytest.approx(1, abs=0.1)  # 128 points: deviations of a few per cent
    assert (copies.variety, copies.diversity > 0.5) == (0, True)


def test_without_classes_or_with_too_many_nothing_is_said_of_their_variety() -> None:
    eye = Eye(DATA, 256, labels=torch.arange(512) % 4)
    assert eye.look(FRESH).variety is None
    assert eye.look(FRESH, torch.arange(256)).variety is None
    assert Eye(DATA, 256).look(FRESH, torch.arange(256) % 4).variety is None


def test_copies_of_one_sample_have_no_diversity_and_cover_nothing() -> None:
    seen = sight(DATA.mean(0).expand(256, 2))
    assert seen.diversity == 0
    assert seen.coverage < 0.1
    # The unit of the distance is a point in the middle of the data; what two samples are apart is taken off.
    assert 0.6 < seen.distance < 1


def test_half_of_the_data_is_half_covered() -> None:
    assert 0.4 < sight(FRESH[FRESH[:, 0] > 0]).coverage < 0.7


def test_copies_of_the_data_lie_on_them() -> None:
    seen = sight(DATA[:256] + 1e-4)
    assert seen.nearest < 0.01
    assert seen.coverage > 0.9


def test_what_lies_elsewhere_strays() -> None:
    seen = sight(FRESH + 20)
    assert seen.strays == 1
    assert seen.spread > 10
    # The mean went 20√2 from the middle; the mean distance between two points of N(0, I) in the plane is √π.
    assert math.dist(seen.place, (0, 0)) == pytest.approx(20 * math.sqrt(2 / math.pi), rel=0.1)


def test_no_number_depends_on_the_scale_of_the_data() -> None:
    labels = torch.arange(512) % 4
    ours, theirs = (
        Eye(scale * DATA, 256, labels=labels).look(scale * (FRESH + 1), labels[:256]) for scale in (1, 1000)
    )
    for name, value in vars(ours).items():
        assert getattr(theirs, name) == pytest.approx(value, rel=1e-3)


def test_data_that_are_all_alike_divide_by_nothing() -> None:
    seen = Eye(torch.zeros(8, 3), 4).look(torch.zeros(4, 3))
    assert all(math.isfinite(value) for value in vars(seen).values() if isinstance(value, float))


def test_samples_may_outnumber_the_data() -> None:
    assert Eye(DATA[:16], 256).look(FRESH).coverage > 0.9


def test_pictures_are_shrunk_and_points_left_alone() -> None:
    assert features(torch.zeros(2, 3, 64, 64)).shape == (2, 3 * SIDE * SIDE)
    assert features(torch.zeros(2, 1, 8, 8)).shape == (2, 64)
    assert torch.equal(features(DATA), DATA)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [([3.0, 2.0], [1.0, 0.0], 1.0), ([0.0], [1.0], 0.0), ([1.0], [1.0], 0.5), ([0.0, 2.0], [1.0, 1.0], 0.5)],
)
def test_separation_is_the_area_under_the_curve(real: list[float], fake: list[float], expected: float) -> None:
    assert separation(torch.tensor(real), torch.tensor(fake)) == expected
