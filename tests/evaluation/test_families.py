"""Every score by name: of equal sides, of copies, of junk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from saddlepoint.data.images import Images
from saddlepoint.data.points import Points
from saddlepoint.data.toys import find as find_toy
from saddlepoint.errors import UsageError
from saddlepoint.evaluation.comparison import Comparison, Score, View
from saddlepoint.evaluation.families import FAMILIES, choose
from saddlepoint.evaluation.sides import Made, Set
from saddlepoint.evaluation.sight import Sight
from saddlepoint.metrics.features import Extractor, find
from saddlepoint.metrics.features.extractor import Setting

from .test_sides import Noise


def blobs(count: int, seed: int, classes: int = 3, side: int = 16) -> Images:
    """Colored blobs in three classes, each of its own color."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count)
    colors = np.eye(3)[labels] * 160 + generator.uniform(0, 60, (count, 3))
    place = generator.uniform(4, side - 4, (count, 2, 1, 1))
    down, across = np.mgrid[:side, :side]
    shape = np.exp(-((down - place[:, 0]) ** 2 + (across - place[:, 1]) ** 2) / 12)
    pixels = (shape[..., None] * colors[:, None, None]).clip(0, 255).astype(np.uint8)
    return Images.of(pixels, labels, name=f"blobs-{seed}")


def few() -> Extractor:
    """A network of a dozen features and three classes: mean colors of quarters."""

    def look(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        quarters = torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)
        return quarters, 20 * images.mean((2, 3))

    setting = Setting(torch.device("cpu"), "clean", None, None, None, 64)
    return Extractor("quarters", "", "MIT", "0", 12, 3, look, 3, setting)


def compared(fake: Set | Made, real: Set, **settings: Set) -> Comparison:
    sight = Sight(few())
    seen = {name: View(side, sight) for name, side in settings.items()}
    return Comparison(View(fake, sight), View(real, sight), against="training", **seen)  # type: ignore[arg-type]


def scores(name: str, comparison: Comparison) -> dict[str, Score]:
    return {score.name: score for score in FAMILIES[name].measure(comparison)}


REAL, SAME = Set(blobs(300, 0)), Set(blobs(300, 1))
ONE_CLASS = Set(blobs(300, 2, classes=1))
JUNK = Set(Images.of(np.random.default_rng(0).integers(0, 256, (300, 16, 16, 3), np.uint8)))


@pytest.mark.parametrize(
    ("family", "score"),
    [
        ("fd", "fd_quarters"), ("kd", "kd_quarters"), ("fd_infinity", "fd_infinity_quarters"), ("swd", "swd"),
        ("nearest_neighbor", "nearest_neighbor_quarters"),
    ],
)  # fmt: skip
def test_distances_rise_from_the_same_law_over_a_lost_class_to_junk(family: str, score: str) -> None:
    values = [scores(family, compared(side, REAL))[score].value for side in (SAME, ONE_CLASS, JUNK)]
    assert values[0] < values[1] < values[2]


def test_precision_and_recall_tell_quality_and_variety_apart() -> None:
    same, one, junk = (scores("precision", compared(side, REAL)) for side in (SAME, ONE_CLASS, JUNK))
    assert one["precision_quarters"].value > 0.7
    assert one["recall_quarters"].value < 0.5 < same["recall_quarters"].value
    assert junk["precision_quarters"].value == 0
    for found in same.values():
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high


def test_intervals_hold_the_value_and_shrink_with_more_samples() -> None:
    for family in ("fd", "kd"):
        widths = []
        for count in (60, 300):
            (found,) = scores(family, compared(Set(blobs(300, 1), count), REAL)).values()
            assert found.low is not None
            assert found.high is not None
            assert found.low < found.value < found.high
            widths.append(found.high - found.low)
        assert widths[1] < widths[0]


def test_fewer_samples_than_features_are_warned_of_and_have_no_interval() -> None:
    (found,) = scores("fd", compared(Set(blobs(10, 1)), REAL)).values()
    assert "singular" in found.note
    assert found.low is None


def test_the_inception_score_stands_beside_the_datas() -> None:
    (whole,) = scores("is", compared(SAME, REAL)).values()
    (part,) = scores("is", compared(ONE_CLASS, REAL)).values()
    assert 1 <= part.value < whole.value <= 3
    assert whole.data == pytest.approx(whole.value, rel=0.1)  # two samples of 300 of one law
    assert whole.against == ""
    pixels = Sight(find("pixels"))
    with pytest.raises(UsageError, match="no classes"):
        scores("is", Comparison(View(SAME, pixels), View(REAL, pixels), against="training"))


def test_alike_samples_have_a_high_similarity() -> None:
    alike = Set(Images.of(np.repeat(blobs(2, 3).pixels[:1], 300, 0)))
    values = [scores("ms_ssim", compared(side, REAL))["ms_ssim"] for side in (SAME, alike)]
    assert values[1].value == pytest.approx(1)
    assert values[0].value == pytest.approx(values[0].data, abs=0.05)


def test_copies_are_no_new_samples() -> None:
    copies = Set(Images.of(REAL.examples.pixels))  # type: ignore[union-attr]
    assert scores("memory", compared(copies, REAL))["authenticity_quarters"].value == 0
    assert scores("memory", compared(SAME, REAL))["authenticity_quarters"].value > 0.2
    held = {"training": REAL}
    told = scores("memory", compared(copies, SAME, **held))["memorization_quarters"]
    fair = scores("memory", compared(Set(blobs(300, 7)), SAME, **held))["memorization_quarters"]
    assert told.value < -10 < -3 < fair.value
    with pytest.raises(UsageError, match="too few"):
        scores("memory", compared(copies, Set(blobs(5, 1)), **held))


def test_labels_teach_and_are_taught() -> None:
    right = scores("classes", compared(SAME, REAL))
    assert right["gan_train_quarters"].value > 0.95
    assert right["gan_test_quarters"].data is not None
    wrong = Set(Images.of(blobs(300, 1).pixels, np.random.default_rng(0).integers(3, size=300)))
    assert scores("classes", compared(wrong, REAL))["gan_train_quarters"].value < 0.7
    with pytest.raises(UsageError, match="need labels"):
        scores("classes", compared(JUNK, REAL))


def test_path_lengths_need_latents() -> None:
    with pytest.raises(UsageError, match="no latents"):
        scores("ppl", compared(SAME, REAL))


def test_points_have_modes() -> None:
    toy = find_toy("ring8")
    data = Set(Points.draw(toy, 2000))

    class Two(Noise):
        def decode(self, latents: torch.Tensor) -> torch.Tensor:
            return 0.003 * latents[:, :2] + torch.tensor([1.0, 0.0])

    sight = Sight(None)
    one = Comparison(View(Made(Two().eval(), 500, name="one"), sight), View(data, sight), against="training")
    found = scores("modes", one)
    assert (found["modes"].value, found["modes"].data) == (1, 8)
    assert found["high_quality"].value > 0.95
    assert found["reverse_kl"].value == pytest.approx(np.log(8), rel=0.05)
    assert scores("sliced", one)["sliced_wasserstein"].value > 0.5
    moons = View(Set(Points.draw(find_toy("moons"), 500)), sight)
    assert not scores("modes", Comparison(one.fake, moons, against=""))


def test_all_but_the_slow_ones_are_chosen_without_a_word() -> None:
    chosen = {family.name for family in choose(None, points=False)}
    assert chosen == {"fd", "kd", "is", "precision", "swd", "ms_ssim", "memory", "nearest_neighbor"}
    assert {family.name for family in choose(None, points=True)} >= {"fd", "modes", "sliced"}
    assert [family.name for family in choose(["kd", "fd", "kd"], points=False)] == ["kd", "fd"]


@pytest.mark.parametrize(
    ("names", "points", "said", "fix"),
    [
        (["fdd"], False, "no score is called 'fdd'", "did you mean fd?"),
        (["modes"], False, "modes is not measured of pictures", "one of fd"),
        (["swd"], True, "swd is not measured of points", "one of fd"),
        ([""], False, "no score is called ''", "one of fd"),
    ],
)
def test_a_wrong_name_says_the_right_ones(names: Sequence[str], points: bool, said: str, fix: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        choose(names, points=points)
    assert fix in str(caught.value)
