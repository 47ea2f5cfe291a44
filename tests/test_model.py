"""A model folder: what is saved comes back, and what is damaged or foreign is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from saddlepoint import model, recipe
from saddlepoint.data.images import Images
from saddlepoint.errors import CheckpointError, MissingError, SaddleError

CHOSEN = recipe.find("gan")
OPTIONS = CHOSEN.configure(**CHOSEN.smoke, channels=1)
DATA = {"name": "noise", "count": 9, "channels": 1, "height": 8, "width": 8, "classes": [], "fingerprint": ""}
CONFIG: dict[str, Any] = {
    "recipe": "gan", "options": OPTIONS.model_dump(mode="json"), "stage": "adversarial", "step": 7, "version": "0.1.0",
    "data": DATA,
}  # fmt: skip


def weights() -> dict[str, Tensor]:
    """A small game's `state_dict()`."""

    class Blank:
        def examples(self, **_: Any) -> Images:
            return Images.blank(8, 1)

    torch.manual_seed(0)
    return next(CHOSEN.stages(OPTIONS, Blank())).game.state_dict()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model.save(tmp_path / "model", weights(), CONFIG)
    return tmp_path / "model"


def refused(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        model.load(path)
    assert caught.value.exit_code == 65
    assert caught.value.where == str(path / "model.safetensors" if path.is_dir() else path)
    return caught.value


def rewritten(path: Path, *, tensors: dict[str, Tensor] | None = None, **changes: Any) -> None:
    """Writes the model anew with other tensors or configuration and a digest that fits."""
    model.save(path, weights() if tensors is None else tensors, {**CONFIG, **changes})


def test_a_model_comes_back_to_the_last_bit(folder: Path) -> None:
    game, config = model.load(folder)
    assert not game.training
    assert game.state_dict().keys() == weights().keys()
    assert all(torch.equal(value, weights()[name]) for name, value in game.state_dict().items())
    assert {key: config[key] for key in CONFIG} == CONFIG
    from_file, _ = model.load(folder / "model.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(from_file.parameters(), game.parameters(), strict=True))


def test_the_folder_says_what_it_holds(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    _, config = model.read(folder / "model.safetensors")
    assert json.loads((folder / "config.json").read_bytes()) == config
    card = (folder / "README.md").read_text()
    assert "# gan, 7 steps" in card
    assert "(9 images, 8x8, 1 channels)" in card


def test_the_file_alone_decides(folder: Path) -> None:
    (folder / "config.json").write_text('{"recipe": "dcgan"}')
    assert model.load(folder)[1]["recipe"] == "gan"


def test_tied_and_strided_weights_are_saved(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    model.save(tmp_path, {"a": whole, "b": whole, "c": whole.t(), "d": whole[:, 1]}, CONFIG)
    tensors, _ = model.read(tmp_path / "model.safetensors")
    assert torch.equal(tensors["b"], whole)
    assert torch.equal(tensors["c"], whole.t())
    assert torch.equal(tensors["d"], whole[:, 1])


def test_every_flipped_bit_of_the_weights_is_noticed(folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    dice = random.Random(0)
    for _ in range(64):
        place = dice.randrange(start, len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        assert refused(folder).what == "model.safetensors: the weights do not match their digest"


def test_mutated_files_are_refused_or_whole(folder: Path) -> None:
    """Whatever a file holds, it is one of ours or a plain refusal; never another error, never other weights."""
    path = folder / "model.safetensors"
    whole, before = path.read_bytes(), weights()
    dice = random.Random(1)
    start = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(1000):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(start)
            match dice.randrange(4):
                case 0:
                    content[place] = dice.randrange(256)
                case 1:
                    del content[place : place + dice.randint(1, 40)]
                case 2:
                    content[place:place] = whole[dice.randrange(start) :][: dice.randint(1, 40)]
                case 3:
                    content[place : place + 1] = dice.choice([b"0", b"9", b"-", b'"', b"}", b"[", b"\\", b"\0"])
        path.write_bytes(content)
        try:
            tensors, _ = model.read(path)
        except CheckpointError:
            continue
        assert all(torch.equal(tensors[name], value) for name, value in before.items())


@pytest.mark.parametrize("content", [b"", b"\0", b"not a model", b"\x89PNG\r\n\x1a\n" + bytes(99), bytes(4096)])
def test_a_file_that_is_something_else_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    assert refused(folder).what.startswith("model.safetensors is not a saddlepoint model: ")


def test_weights_without_our_header_are_refused(folder: Path) -> None:
    safetensors.torch.save_file(weights(), folder / "model.safetensors")
    assert refused(folder).what.startswith("model.safetensors is not a saddlepoint model: ")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_counted(folder: Path, bad: float) -> None:
    tensors = weights()
    name = next(iter(tensors))
    tensors[name].view(-1)[:12] = bad
    rewritten(folder, tensors=tensors)
    assert refused(folder).what == f"tensor {name} holds 12 values that are not finite"


def test_a_wrong_shape_is_named(folder: Path) -> None:
    tensors = weights()
    name = next(name for name, tensor in tensors.items() if tensor.ndim == 2)
    shape = tuple(tensors[name].shape)
    tensors[name] = torch.zeros(3, 3)
    rewritten(folder, tensors=tensors)
    what = refused(folder).what
    assert what.startswith("the model does not fit the recipe gan: ")
    assert name in what
    assert "[3, 3]" in what
    assert str(list(shape)) in what


def test_a_missing_or_an_unknown_tensor_is_named(folder: Path) -> None:
    tensors = weights()
    name = list(tensors)[-1]
    rewritten(folder, tensors={key: value for key, value in tensors.items() if key != name})
    assert name in refused(folder).what
    rewritten(folder, tensors={**tensors, "stranger": torch.zeros(1)})
    assert "stranger" in refused(folder).what


def test_a_newer_format_is_named(folder: Path) -> None:
    rewritten(folder, format=5)
    assert "made by a newer saddlepoint (format 5)" in refused(folder).what


def test_another_stage_is_refused(folder: Path) -> None:
    rewritten(folder, stage="later")
    assert refused(folder).what == "the recipe has no stage 'later'"


# Step and version inform a reader; nothing is computed from them.
DECIDING = sorted(CONFIG.keys() - {"step", "version"})


@pytest.mark.parametrize("key", DECIDING)
@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"x": 1}, 1e400], ids=repr)
def test_an_edited_configuration_is_refused_in_plain_words(folder: Path, key: str, value: Any) -> None:
    if key == "options" and value == {}:
        value = {"size": 10**9}  # no options at all are the defaults, and these fit no small weights either
    rewrite_header(folder / "model.safetensors", {**CONFIG, key: value})
    with pytest.raises(SaddleError) as caught:
        model.load(folder)
    assert caught.value.exit_code in (64, 65, 66)


@pytest.mark.parametrize("change", [{"channels": -1}, {"height": 10**9}, {"width": "8"}, {"classes": "ab"}], ids=str)
def test_an_edited_shape_is_refused(folder: Path, change: dict[str, Any]) -> None:
    rewrite_header(folder / "model.safetensors", {**CONFIG, "data": {**DATA, **change}})
    what = refused(folder).what
    assert what.startswith(f"model.safetensors is not a saddlepoint model: data.{next(iter(change))}: input should be ")


@pytest.mark.parametrize("key", [*DECIDING, "digest", "format"])
def test_a_configuration_with_a_gap_is_refused(folder: Path, key: str) -> None:
    config = dict(json.loads((folder / "config.json").read_bytes()))
    del config[key]
    rewrite_header(folder / "model.safetensors", config, complete=False)
    refused(folder)


def rewrite_header(path: Path, config: dict[str, Any], *, complete: bool = True) -> None:
    """Gives a model file another configuration and leaves its weights alone."""
    tensors, old = model.read(path)
    config = {"format": old["format"], "digest": old["digest"], **config} if complete else config
    path.write_bytes(safetensors.torch.save(tensors, metadata={"saddlepoint": json.dumps(config)}))


def test_no_model_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no model in") as caught:
        model.load(tmp_path)
    assert caught.value.exit_code == 66
