"""Translations measured: of pairs by how near they come, of two sets by what a network sees and by the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint.data.images import Images
from saddlepoint.data.pairs import Pairs, Unpaired
from saddlepoint.data.scan import Watch
from saddlepoint.errors import UnavailableError, UsageError
from saddlepoint.evaluation import translation
from saddlepoint.evaluation.evaluate import Evaluation
from saddlepoint.evaluation.sides import Middle, Set, Translated
from saddlepoint.evaluation.sight import Sight
from saddlepoint.evaluation.translation import Translator, evaluate
from saddlepoint.metrics.features import Seen

COUNT, SIDE = 40, 18


class Inverting(nn.Module):
    """Negatives: the right answer, but for what is added."""

    sides, multiple = ("day", "night"), 4

    def __init__(self, off: float = 0.0) -> None:
        super().__init__()
        self.off = nn.Parameter(torch.tensor(off))

    def translate(self, images: Tensor) -> Tensor:
        return -images + self.off


class BothWays(Inverting):
    def translate_back(self, images: Tensor) -> Tensor:
        return -images


class Means:
    """A network that sees the mean of each color, and knows what is dark."""

    name, sees, license, sha256, published = "means", "means of colors", "none", None, False

    def __call__(self, images: Tensor) -> Seen:
        return Seen(images.mean((2, 3)), None)


def pictures(seed: int) -> np.ndarray:
    """Dark ones."""
    return np.random.default_rng(seed).integers(0, 120, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)


def sets(kind: type[Pairs | Unpaired]) -> Any:
    day = pictures(0)
    night = 255 - (day if kind is Pairs else pictures(1))
    # Both of one fingerprint: the sides must not be taken for each other all the same.
    return kind(*(Images.of(each, name="days", fingerprint="same") for each in (day, night)), sides=("day", "night"))


def measured(
    game: nn.Module, kind: type[Pairs | Unpaired], names: Sequence[str] | None, folder: Any = None
) -> Evaluation:
    subject = Translator(game, sets(kind), "held out", {"run": "r"}, 100, 0)  # type: ignore[arg-type]
    return evaluate(subject, names, lambda: Sight(Means(), folder), Watch())  # type: ignore[arg-type]


def test_a_perfect_translation_of_pairs_has_nothing_to_lose() -> None:
    found = measured(Inverting(), Pairs, ["l1", "ssim"])
    assert found["l1"] == pytest.approx(0, abs=1e-6)  # float32
    assert found["ssim"] == pytest.approx(1, abs=1e-6)
    score = found.scores[0]
    assert (score.against, score.generated, score.real, score.better) == ("held out", COUNT, COUNT, "lower")
    before = float(score.note.removeprefix("the source as it is: "))
    assert before == pytest.approx(2 * (255 - 2 * pictures(0).astype(float)).mean() / 255, rel=0.02)  # of the middle
    assert found.how["pictures"] == "16x16, the middle of 18x18"
    assert found.sheets[0][2].width > 3 * 16


def test_a_known_error_is_measured() -> None:
    found = measured(Inverting(0.25), Pairs, ["l1", "psnr"])
    assert found["l1"] == pytest.approx(0.25, abs=1e-6)
    assert found["psnr"] == pytest.approx(10 * np.log10(4 / 0.25**2), abs=1e-4)
    assert found.scores[0].low == pytest.approx(0.25, abs=1e-6)


def test_what_is_not_at_hand_is_left_out_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise UnavailableError("no weights here")

    monkeypatch.setattr(translation, "_perceptual", missing)
    found = measured(Inverting(), Pairs, None)
    assert [score.name for score in found.scores] == ["l1", "psnr", "ssim"]
    assert found.skipped == {"perceptual": "no weights here"}
    with pytest.raises(UnavailableError):
        measured(Inverting(), Pairs, ["perceptual"])
    with pytest.raises(UsageError, match="ssin is not measured") as caught:
        measured(Inverting(), Pairs, ["ssin"])
    assert caught.value.fix == "did you mean ssim?"


def test_two_sets_are_held_against_the_untranslated_source(tmp_path: Any) -> None:
    found = measured(BothWays(), Unpaired, None, tmp_path)
    assert found["fd_means"] < 0.05 * found["fd_means_untranslated"]
    assert found["fd_means_back"] < 0.05 * found["fd_means_untranslated_back"]
    assert found["cycle_l1"] == found["cycle_l1_back"] == 0
    assert "day translated, against night" in found.scores[0].note
    assert "night untranslated, against day" in found.scores[4].note
    assert measured(BothWays(), Unpaired, None, tmp_path)["fd_means"] == found["fd_means"], "what was kept is the same"


def test_one_way_has_no_cycle() -> None:
    found = measured(Inverting(), Unpaired, None)
    assert [score.name for score in found.scores] == ["fd_means", "fd_means_untranslated"]
    assert found.skipped == {"cycle": "there is no way back"}


def test_a_way_back_that_loses_something_is_noticed() -> None:
    assert measured(BothWays(0.25), Unpaired, ["cycle"])["cycle_l1"] == pytest.approx(0.25, abs=1e-6)


def test_a_side_is_cut_to_its_middle() -> None:
    side = Middle(Set(sets(Pairs).source), 8, part="source")
    assert side.read(2, 3).image.shape == (3, 3, 16, 16)
    assert torch.equal(side.read(2, 3).image, side.side.read(2, 3).image[:, :, 1:17, 1:17])
    assert len(side) == COUNT
    assert torch.equal(Translated(side, Inverting()).read(1, 2).image, -side.read(1, 2).image)
    assert Middle(Set(sets(Pairs).source), 64, part="source").read(0, 1).image.shape == (1, 3, SIDE, SIDE)
