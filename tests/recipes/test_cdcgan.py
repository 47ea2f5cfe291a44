"""The conditional DCGAN: the chapter's networks, and which classes it asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from saddlepoint.data.batches import Batch
from saddlepoint.data.images import Images
from saddlepoint.game import Turn
from saddlepoint.penalties import mode_seeking
from saddlepoint.recipes import cdcgan

DIGITS = tuple("0123456789")


def game(
    *, size: int = 32, channels: int = 1, classes: tuple[str, ...] = DIGITS, width: int = 4, **chosen: Any
) -> cdcgan.CDCGAN:
    torch.manual_seed(0)
    options = cdcgan.Options(size=size, width=width, latent=8, batch=8, **chosen)
    return cdcgan.CDCGAN(options, Images.blank(size, channels, classes))


def a_round(played: cdcgan.CDCGAN, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], dict[str, Turn]]:
    """What the discriminator is shown in a round, pictures and labels, and the turns by player."""
    shown: list[Any] = []
    judge = played.judge
    monkeypatch.setattr(played, "judge", lambda *seen: (shown.append(seen), judge(*seen))[1])
    turns = {turn.player: turn for turn in played.turns(iter([batch]))}
    return shown, turns


def test_the_networks_are_the_chapters() -> None:
    torch.manual_seed(0)
    options = cdcgan.Options()
    networks = cdcgan.Generator(options, 10, 1), cdcgan.Discriminator(options, 10, 1)
    # Counted layer by layer from the chapter's listing, biases included.
    assert [sum(weight.numel() for weight in network.parameters()) for network in networks] == [3_076_737, 2_643_329]
    made, judge = networks
    # 256 features each of noise and label, 64 each of picture and label.
    assert made.noise(torch.zeros(2, 100)).shape == made.label(torch.zeros(2, 10)).shape == (2, 256, 4, 4)
    assert judge.image(torch.zeros(2, 1, 32, 32)).shape == judge.label(torch.zeros(2, 10, 32, 32)).shape
    assert judge.joint[0].in_channels == 128


def test_the_networks_of_radford_et_al_are_told_at_every_layer() -> None:
    played = game(networks="radford")
    assert [len(network) for network in (played.generator, played.discriminator)] == [4, 4]
    pictures = played.sample(6)
    assert pictures.shape == (6, 1, 32, 32)
    assert played.judge(pictures, torch.arange(6)).shape == (6,)


@pytest.mark.parametrize("kind", ["weights", "scales"])
def test_the_first_weights_and_scales_are_near_zero(kind: str) -> None:
    played = game(width=16)
    dimensions = {"weights": 4, "scales": 1}[kind]
    found = [weight for name, weight in played.named_parameters() if weight.ndim == dimensions and "bias" not in name]
    values = torch.cat([weight.detach().flatten() for weight in found])
    # The least of them are 176 scales, whose mean and deviation err by 0.0015 and 0.001.
    assert float(values.mean()) == pytest.approx(0, abs=0.006)
    assert float(values.std()) == pytest.approx(0.02, abs=0.004)


@pytest.mark.parametrize("size", [64, 128])
def test_larger_pictures_have_more_layers(size: int) -> None:
    played = game(size=size, channels=3, classes=("a", "b"))
    pictures = played.sample(2)
    assert pictures.shape == (2, 3, size, size)
    assert played.judge(pictures, torch.tensor([0, 1])).shape == (2,)


def test_a_label_is_shown_as_planes() -> None:
    played, seen = game(classes=("a", "b", "c")), list[Tensor]()
    played.discriminator.label[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    pictures = torch.zeros(2, 1, 32, 32)
    played.judge(pictures, torch.tensor([2, 0]))
    played.judge(pictures, torch.tensor([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]]))
    shown, mixed = seen
    assert shown.shape == mixed.shape == (2, 3, 32, 32)
    assert shown.amin((2, 3)).tolist() == shown.amax((2, 3)).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert mixed.amin((2, 3)).tolist() == mixed.amax((2, 3)).tolist() == [[0, 0.25, 0.75], [1, 0, 0]]


def test_fakes_are_of_any_class_and_of_others_in_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nearly all of the data are of class 0.
    labels = np.array([0] * 60 + [1, 2, 3, 3])
    pixels = np.zeros((64, 32, 32, 1), np.uint8)
    torch.manual_seed(0)
    options = cdcgan.Options(width=4, latent=8, batch=64)
    played = cdcgan.CDCGAN(options, Images.of(pixels, labels))
    batch = Batch(torch.zeros(64, 1, 32, 32), torch.from_numpy(labels))
    shown, turns = a_round(played, batch, monkeypatch)
    assert list(turns) == ["discriminator", "generator"]
    real, first, second = (labels for _, labels in shown)
    assert torch.equal(real, batch.label)
    assert not torch.equal(first, second)
    for asked in (first, second):
        # 16 of each are expected, give or take 3.5.
        assert int(asked.bincount(minlength=4).min()) >= 5
    # Samples that nobody asked a class for are as the data are.
    drawn: list[Tensor] = []
    monkeypatch.setattr(played, "decode", lambda latents, labels: drawn.append(labels))
    played.sample(64)
    assert int((drawn[0] == 0).sum()) > 50


def test_noise_is_on_all_that_the_discriminator_sees_and_on_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    blank = torch.full((8, 1, 32, 32), -1.0)
    batch = Batch(blank, torch.zeros(8, dtype=torch.int64))
    for noise in (0.0, 0.3):
        played = game(noise=noise)
        # Of its first weights the generator draws nearly nothing.
        (real, _), (fake, _), (again, _) = a_round(played, batch, monkeypatch)[0]
        for pictures, quiet in ((real, blank), (fake, torch.zeros(())), (again, torch.zeros(()))):
            assert float((pictures - quiet).detach().square().mean().sqrt()) == pytest.approx(noise, abs=0.02)
        assert float(played.sample(8).detach().abs().mean()) < 0.02


def test_who_seeks_modes_pays_for_samples_of_a_class_that_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch(torch.rand(9, 1, 32, 32), torch.zeros(9, dtype=torch.int64))
    assert a_round(game(), batch, monkeypatch)[1]["generator"].losses.keys() == {"adversarial"}
    played = game(seek=0.5, steps=4)
    played.step = 3  # a quarter of the price is left
    decoded: list[tuple[Tensor, Tensor]] = []
    decode = played.decode
    monkeypatch.setattr(played, "decode", lambda *made_of: (decoded.append(made_of), decode(*made_of))[1])
    shown, turns = a_round(played, batch, monkeypatch)
    fake, asked = shown[-1]
    assert len(asked) == 8
    assert torch.equal(*asked.chunk(2))
    assert asked.unique().numel() > 1
    expected = 0.125 * mode_seeking(*fake.chunk(2), *decoded[-1][0].chunk(2))
    assert torch.equal(turns["generator"].losses["sameness"], expected)
