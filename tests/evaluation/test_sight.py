"""What a network sees is kept for sets, and only for these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from saddlepoint.data.images import Images
from saddlepoint.errors import Stopped
from saddlepoint.evaluation.sides import Made, Set
from saddlepoint.evaluation.sight import Sight
from saddlepoint.metrics.features import Extractor, Seen, find

from .test_sides import Noise

IMAGES = Images.of(np.random.default_rng(0).integers(0, 256, (70, 8, 8, 3), np.uint8))


class Counting:
    """A sight through `pixels` that counts the pictures it looked at."""

    def __init__(self, folder: Path | None, side: int | None = None) -> None:
        self.looked = 0
        self.sight = Sight(find("pixels", side=side), folder, progress=self.count)

    def count(self, done: int, total: int) -> None:
        assert done <= total
        self.looked += 1

    def see(self, side: Set | Made) -> Seen:
        return self.sight.see(side)


def test_a_set_is_looked_at_once(tmp_path: Path) -> None:
    first, second = Counting(tmp_path), Counting(tmp_path)
    seen = first.see(Set(IMAGES))
    assert seen.features.shape == (70, 192)
    assert first.looked == 2
    assert torch.equal(second.see(Set(IMAGES)).features, seen.features)
    assert second.looked == 0


def test_another_set_and_another_look_are_looked_at_anew(tmp_path: Path) -> None:
    Counting(tmp_path).see(Set(IMAGES))
    for sight, side in (
        (Counting(tmp_path), Set(IMAGES, 60)),
        (Counting(tmp_path), Set(Images.of(np.asarray(IMAGES.pixels)[::-1]))),
        (Counting(tmp_path, side=4), Set(IMAGES)),
    ):
        sight.see(side)
        assert sight.looked > 0


@pytest.mark.parametrize("damage", [b"", b"no safetensors", None])
def test_what_is_damaged_is_seen_again(tmp_path: Path, damage: bytes | None) -> None:
    seen = Counting(tmp_path).see(Set(IMAGES))
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-8] if damage is None else damage)
    again = Counting(tmp_path)
    assert torch.equal(again.see(Set(IMAGES)).features, seen.features)
    assert again.looked > 0
    assert [path.name for path in tmp_path.iterdir()] == [kept.name], "no draft is left"


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(Counting(tmp_path / "file").see(Set(IMAGES)).features) == 70


def test_what_a_game_makes_is_not_kept(tmp_path: Path) -> None:
    Counting(tmp_path).see(Made(Noise().eval(), 10, name="noise"))
    assert not list(tmp_path.iterdir())


def test_points_are_features_themselves(tmp_path: Path) -> None:
    class Points(Noise):
        def decode(self, latents: torch.Tensor) -> torch.Tensor:
            return self.net(latents)[:, :2]

    side = Made(Points().eval(), 70, name="points")
    seen = Sight(None, tmp_path).see(side)
    assert torch.equal(seen.features, side.read(0, 70).image)
    assert seen.logits is None


def test_looking_can_be_stopped() -> None:
    extractor: Extractor = find("pixels")
    with pytest.raises(Stopped):
        Sight(extractor, should_stop=lambda: True).see(Set(IMAGES))
