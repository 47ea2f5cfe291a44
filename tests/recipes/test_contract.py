"""What every recipe promises, whoever wrote it: found by discovery, played with its SMOKE options and each preset.

The preset `plane` is played on points, the others on pictures.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import annotated_types
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint import model, recipe
from saddlepoint.abilities import (
    Classifies,
    Conditional,
    Decodes,
    Samples,
    Scores,
    Translates,
    TranslatesBack,
    decode,
)
from saddlepoint.checkpoint import Store
from saddlepoint.data.images import Images
from saddlepoint.data.source import open_source
from saddlepoint.game import Game, Stage
from saddlepoint.layers.dropout import NoisyDropout
from saddlepoint.layers.minibatch import MinibatchDiscrimination, MinibatchStd
from saddlepoint.loop import train
from saddlepoint.making import translated
from saddlepoint.match import Match, build
from saddlepoint.plan import Plan
from saddlepoint.session import describe

from ..toys.double import in_double
from ..toys.playing import PowerCut, PowerCutError, Referee

STEPS = 3
PLAN = Plan(device="cpu", threads=1)

NAMES = recipe.names()
CASES = [(name, preset) for name in NAMES for preset in (None, *recipe.find(name).presets)]

every_recipe = pytest.mark.parametrize("name", NAMES)
every_preset = pytest.mark.parametrize(
    ("name", "preset"), CASES, ids=[f"{name}-{preset or 'smoke'}" for name, preset in CASES]
)


class Noise:
    """A source of 40 random pictures in three classes, at whatever size is asked for; twice as wide they are pairs."""

    sides = ("left", "right")
    holdout = 0.0

    def examples(self, *, size: int | None = None, channels: int | None = None) -> Images:
        return self.images(size=size, channels=channels)

    def images(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images:
        height, width = (size, size) if isinstance(size, int) else size or (32, 32)
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (40, height, width, channels or 3), np.uint8)
        return Images.of(pixels, random.integers(0, 3, 40), classes=("a", "b", "c"), name="noise")

    def whole(self, *, size: tuple[int, int], channels: int | None = None, **_: Any) -> Images:
        return dataclasses.replace(self.images(size=size, channels=channels), labels=None, classes=())


def source_of(preset: str | None) -> Any:
    return open_source("ring8:40") if preset == "plane" else Noise()


def stages_of(name: str, preset: str | None = None) -> Iterator[Stage]:
    """A recipe's stages with few steps: a preset may count in epochs."""
    found = recipe.find(name)
    options = found.configure(preset, **found.smoke)
    for stage in found.stages(options, source_of(preset)):
        yield dataclasses.replace(stage, steps=min(stage.steps, STEPS))


def matches(name: str, preset: str | None = None, plan: Plan = PLAN) -> Iterator[Match]:
    """The match of each stage, the next one built after this one was played."""
    stages, base, index = stages_of(name, preset), 0, 0
    while (stage := build(stages, plan)) is not None:
        yield Match(stage, plan, index=index, base=base)
        base, index = base + stage.steps, index + 1


@pytest.fixture(scope="module")
def trained() -> dict[tuple[str, str | None], Match]:
    """The last stage of every case, played; filled as tests ask."""
    return {}


def last(name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]) -> Match:
    if (name, preset) not in trained:
        for match in matches(name, preset):
            train(match)
        trained[name, preset] = match
    return trained[name, preset]


@every_preset
def test_plays_and_only_the_mover_moves(name: str, preset: str | None) -> None:
    for match in matches(name, preset):
        referee = Referee(match)
        train(match)
        referee.finish()
        assert referee.offenses == []
        assert referee.missing == {player: set() for player in match.players}
        assert match.step == match.stage.steps
        assert all(value.isfinite() for value in match.tally.values())


@every_preset
def test_resuming_is_as_if_never_stopped(name: str, preset: str | None, tmp_path: Path) -> None:
    cut, whole = matches(name, preset), matches(name, preset)
    for number, (first, other) in enumerate(zip(cut, whole, strict=True)):
        train(other)
        store = Store(tmp_path / str(number))
        end = first.base + first.stage.steps
        with pytest.raises(PowerCutError):
            train(first, store=store, checkpoint_every=STEPS - 1, observers=[PowerCut(end)])
        # Whatever the crash left in the networks, the checkpoint is all that counts.
        for tensor in first.game.state_dict().values():
            tensor.zero_()
        resumed = Match(first.stage, PLAN, index=first.index, base=first.base)
        resumed.restore(store.newest())
        train(resumed)
        ours, theirs = resumed.state(), other.state()
        assert ours[1] == theirs[1]
        for group, tensors in theirs[0].items():
            for key, tensor in tensors.items():
                assert torch.equal(ours[0][group][key], tensor), f"{group}: {key}"


@every_preset
def test_plays_in_bfloat16(name: str, preset: str | None) -> None:
    for match in matches(name, preset, Plan(device="cpu", threads=1, precision="bf16")):
        train(shortened(match, steps=1))
        assert all(value.isfinite() for value in match.tally.values())
        assert {weight.dtype for weight in match.game.parameters()} == {torch.float32}


def shortened(match: Match, *, steps: int) -> Match:
    """The same match with another number of steps."""
    match.stage = dataclasses.replace(match.stage, steps=steps)
    return match


def uses_the_batch_as_a_whole(game: Game) -> bool:
    """Whether a part of a batch is treated otherwise than the whole, or by chance."""
    together = (nn.modules.batchnorm._BatchNorm, MinibatchStd, MinibatchDiscrimination)
    norms = [module for module in game.modules() if isinstance(module, together)]
    drops = [module for module in game.modules() if isinstance(module, nn.modules.dropout._DropoutNd) and module.p]
    always = [module for module in game.modules() if isinstance(module, NoisyDropout) and module.probability]
    return bool(norms or drops or always)


def alike(*shape: Any, **settings: Any) -> Tensor:
    """Stands in for torch's noise: the same for every sample, so that it does not matter who draws how many."""
    sizes = tuple(shape[0]) if shape and not isinstance(shape[0], int) else shape
    row = torch.linspace(0.1, 0.9, max(1, int(np.prod(sizes[1:])))).view(1, *sizes[1:])
    return row.expand(sizes).clone() if sizes else row.squeeze()


@every_preset
def test_accumulated_micro_batches_equal_one_batch(
    name: str, preset: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for drawing in ("randn", "rand"):
        monkeypatch.setattr(torch, drawing, alike)
    for drawing in ("randn_like", "rand_like"):
        monkeypatch.setattr(torch, drawing, lambda like, **settings: alike(*like.shape))
    monkeypatch.setattr(torch, "multinomial", lambda shares, count, **settings: torch.ones(count, dtype=torch.long))
    gradients: list[dict[str, Tensor]] = []
    for accumulate in (1, 2):
        match = next(matches(name, preset, Plan(device="cpu", threads=1, accumulate=accumulate)))
        if uses_the_batch_as_a_whole(match.game):
            pytest.skip("batch statistics or dropout")
        gradients.append(first_gradients(match))
    assert gradients[0].keys() == gradients[1].keys()
    greatest: dict[str, float] = {}
    for key, gradient in gradients[0].items():
        player = key.partition("/")[0]
        greatest[player] = max(greatest.get(player, 0.0), float(gradient.abs().max()))
    for key, gradient in gradients[0].items():
        # A bias before a normalization has no gradient: what there is of it is how the others rounded.
        rounding = 1e-7 * greatest[key.partition("/")[0]]
        near = max(1e-4 * float(gradient.abs().max()), rounding)
        assert torch.allclose(gradient, gradients[1][key], rtol=1e-3, atol=near), key


def first_gradients(match: Match) -> dict[str, Tensor]:
    """The gradients of each player's first turn, by player and parameter."""
    found: dict[str, Tensor] = {}

    def before(name: str, parameters: list[nn.Parameter]) -> None:
        for number, parameter in enumerate(parameters):
            if parameter.grad is not None:
                found.setdefault(f"{name}/{number}", parameter.grad.clone())

    for name, player in match.players.items():
        # Steps as small as can be: the second player's gradients must not show how the first one rounded.
        player.rates = [1e-12] * len(player.rates)
        player.optimizer.register_step_pre_hook(lambda *_, name=name, params=player.params: before(name, params))
    train(shortened(match, steps=1))
    return found


@every_preset
def test_samples_are_pictures_and_a_generator_decides_which(
    name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]
) -> None:
    match = last(name, preset, trained)
    game, examples = match.game, match.stage.data.examples
    if not isinstance(game, Samples):
        pytest.skip(f"{name} does not sample")
    with match.averages.applied():
        one, same = (game.sample(5, generator=torch.Generator().manual_seed(3)) for _ in range(2))
        other = game.sample(5, generator=torch.Generator().manual_seed(4))
        state = torch.get_rng_state()
        game.sample(2, generator=torch.Generator().manual_seed(4))
        assert torch.equal(torch.get_rng_state(), state), "it draws from the generator it is given, and no other"
    assert one.shape == (5, *examples.shape)
    assert one.dtype == torch.float32
    assert preset == "plane" or (float(one.min()) >= -1 and float(one.max()) <= 1)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@every_preset
def test_translations_are_pictures_of_any_size_and_a_seed_decides_which(
    name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]
) -> None:
    match = last(name, preset, trained)
    game = match.game
    if not isinstance(game, Translates):
        pytest.skip(f"{name} does not translate")
    assert not isinstance(game, Samples), "its noise, if any, is its own"
    assert all(isinstance(side, str) and side for side in game.sides)
    read = match.stage.data.read(0, 2)
    for back, given in ((False, read.source), (True, read.target)):
        if back and not isinstance(game, TranslatesBack):
            continue
        assert given.shape[2] % game.multiple == given.shape[3] % game.multiple == 0, "it can be played as it is used"
        odd = given[:, :, :-3, :-1]
        with match.averages.applied():
            state = torch.get_rng_state()
            one, same, other = (translated(game, odd, back=back, seed=seed) for seed in (3, 3, 4))
            assert torch.equal(torch.get_rng_state(), state)
        assert one.shape == odd.shape
        assert one.dtype == torch.float32
        assert float(one.abs().max()) <= 1
        assert torch.equal(one, same)
        assert other.shape == one.shape


@every_preset
def test_latents_decode_to_pictures_one_by_one(
    name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]
) -> None:
    match = last(name, preset, trained)
    game, examples = match.game, match.stage.data.examples
    if not isinstance(game, Decodes):
        pytest.skip(f"{name} has no latents")
    with match.averages.applied():
        latents = torch.randn(4, game.latent, generator=torch.Generator().manual_seed(0))
        labels = torch.tensor([0, 2, 1, 1])
        pictures = decode(game, latents, labels)
        assert pictures.shape == (4, *examples.shape)
        assert preset == "plane" or float(pictures.abs().max()) <= 1
        # In evaluation a picture depends on its latent and its class alone. Exactly, for a batch of one takes other
        # kernels, and what these round differently in float32 grows on its way through a network.
        with in_double():
            exact, latents = copy.deepcopy(game).double(), latents.double()
            pictures = decode(exact, latents, labels)
            assert torch.allclose(decode(exact, latents[1:2], labels[1:2]), pictures[1:2], rtol=0, atol=1e-9)


@every_preset
def test_classes_are_asked_for_and_can_be_mixed(
    name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]
) -> None:
    match = last(name, preset, trained)
    game = match.game
    if not isinstance(game, Conditional):
        pytest.skip(f"{name} has no classes")
    count = len(game.classes)
    assert game.frequencies.shape == (count,)
    assert float(game.frequencies.sum()) == pytest.approx(1)
    with match.averages.applied():
        latents = torch.randn(2, game.latent, generator=torch.Generator().manual_seed(0))
        one, other = (game.decode(latents, torch.full((2,), label)) for label in (0, 1))
        assert not torch.equal(one, other), "the class matters"
        shares = torch.zeros(2, count)
        shares[:, 0] = 1
        assert torch.allclose(game.decode(latents, shares), one, atol=1e-6)
        shares[:, :2] = 0.5
        mixed = game.decode(latents, shares)
        assert not torch.equal(mixed, one)
        assert not torch.equal(mixed, other)
        assert isinstance(game, Samples)
        labels = torch.tensor([0, 1, 1])
        given = [game.sample(3, labels=labels, generator=torch.Generator().manual_seed(1)) for _ in range(2)]
        assert torch.equal(*given)


@every_preset
def test_a_class_is_told_from_a_picture(
    name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]
) -> None:
    match = last(name, preset, trained)
    if not isinstance(match.game, Classifies):
        pytest.skip(f"{name} tells no classes")
    with match.averages.applied():
        logits = match.game.classify(match.stage.data.read(0, 4).image)
    assert logits.shape == (4, len(match.game.classes))
    assert bool(logits.isfinite().all())


@every_preset
def test_scores_are_a_logit_a_picture(
    name: str, preset: str | None, trained: dict[tuple[str, str | None], Match]
) -> None:
    match = last(name, preset, trained)
    if not isinstance(match.game, Scores):
        pytest.skip(f"{name} does not score")
    with match.averages.applied():
        scores = match.game.score(match.stage.data.read(0, 4).image)
    assert scores.shape == (4,)
    assert bool(scores.isfinite().all())


@every_preset
def test_a_model_folder_gives_the_same_game_again(
    name: str, preset: str | None, tmp_path: Path, trained: dict[tuple[str, str | None], Match]
) -> None:
    match, found = last(name, preset, trained), recipe.find(name)
    config = {
        "recipe": found.address,
        "options": found.configure(preset, **found.smoke).model_dump(mode="json"),
        "stage": match.stage.name,
        "step": match.total_step,
        "version": "0",
        "data": describe(match.stage),
    }
    with match.averages.applied():
        tensors = {key: tensor.clone() for key, tensor in match.game.state_dict().items()}
    model.save(tmp_path / "model", tensors, config)
    game, loaded = model.load(tmp_path / "model")
    assert not game.training
    assert loaded["options"] == config["options"]
    assert getattr(game, "sides", None) == getattr(match.game, "sides", None)
    assert game.state_dict().keys() == tensors.keys()
    assert all(torch.equal(tensor, tensors[key]) for key, tensor in game.state_dict().items())


@every_recipe
def test_options_are_few_described_and_bounded(name: str) -> None:
    fields = recipe.find(name).options.model_fields
    assert 0 < len(fields) <= 15
    for key, field in fields.items():
        assert field.description, f"{key} has no description"
        kinds = set(get_args(field.annotation)) or {field.annotation}
        if kinds & {int, float}:
            bounds = (annotated_types.Ge, annotated_types.Gt, annotated_types.Le, annotated_types.Lt)
            assert [mark for mark in field.metadata if isinstance(mark, bounds)], f"{key} has no bounds"


@every_recipe
def test_a_recipe_says_what_it_reproduces_and_what_came_of_it(name: str) -> None:
    found = recipe.find(name)
    assert found.summary.endswith(".")
    assert "Result:" in inspect.cleandoc(found.module.__doc__ or "")
    game = next(stages_of(name)).game
    assert type(game).__bases__ == (Game,), "games are one subclass deep"
    assert (type(game).__doc__ or "").strip()


@every_recipe
def test_stages_have_names_of_their_own_and_the_options_steps(name: str) -> None:
    found = recipe.find(name)
    stages = list(found.stages(found.configure(**found.smoke), Noise()))
    assert len({stage.name for stage in stages}) == len(stages) > 0
    assert all(stage.steps > 0 for stage in stages)
    assert all(stage.data.batch == found.smoke["batch"] for stage in stages)


@every_preset
def test_presets_name_options_that_exist(name: str, preset: str | None) -> None:
    recipe.find(name).configure(preset)
