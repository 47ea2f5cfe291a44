"""A trained model as a folder: weights and JSON, with which anyone can sample and nothing can run.

`model.safetensors` holds the game with its averaged networks in place, and in its header the whole configuration and a
digest of the tensors: it is one file, so a reader never sees the weights of one step with the options of another.
`config.json` and `README.md` repeat that for people and for model hubs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pydantic
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from . import recipe
from .checkpoint import replace_durably
from .data import toys
from .data.blank import Blank
from .errors import CheckpointError, MissingError, UsageError
from .game import Game, Stage

FORMAT = 1
PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin", ".npy", ".npz", ".joblib"}


class Shape(pydantic.BaseModel):
    """What a model says of the data it was made from."""

    model_config = pydantic.ConfigDict(strict=True)

    channels: int = pydantic.Field(ge=0, le=4096)
    height: int = pydantic.Field(ge=0, le=65536)
    width: int = pydantic.Field(ge=0, le=65536)
    classes: list[str]
    toy: str | None = None


class Config(pydantic.BaseModel):
    """What has to stand in a model's configuration for it to be rebuilt; a stranger may have written it."""

    model_config = pydantic.ConfigDict(strict=True)

    format: int
    digest: str
    recipe: str
    options: dict[str, Any]
    stage: str
    data: Shape


def save(folder: Path, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
    """Writes or replaces a model folder.

    Args:
        folder: e.g. `runs/x/model`.
        tensors: the game's `state_dict()`.
        config: recipe, options, stage, step, data (channels, height, width, classes).
    """
    owned = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    config = {"format": FORMAT, **config, "digest": _digest(owned)}
    folder.mkdir(parents=True, exist_ok=True)
    header = {"saddlepoint": json.dumps(config, sort_keys=True)}
    replace_durably(folder / "model.safetensors", safetensors.torch.save(owned, metadata=header))
    replace_durably(folder / "config.json", json.dumps(config, indent=1, ensure_ascii=False).encode())
    replace_durably(folder / "README.md", _card(config).encode())


def load(path: Path, recipe_file: str | None = None) -> tuple[Game, dict[str, Any]]:
    """Rebuilds a game from a model.

    Args:
        path: a model folder, or its `model.safetensors`.
        recipe_file: the recipe, when it is a file of the user's own. It is never taken from the model: a model may
            come from a stranger, and a recipe is code.

    Returns:
        The game on the CPU in evaluation mode, and the configuration.

    Raises:
        MissingError: there is no model.
        CheckpointError: it is damaged, foreign, of a newer format, or does not fit its recipe.
    """
    weights = path / "model.safetensors" if path.is_dir() else path
    tensors, config = read(weights)
    game = rebuild(config, recipe_file, where=str(weights))
    try:
        game.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        name = recipe.find(recipe_file or config["recipe"]).name
        raise CheckpointError(f"the model does not fit the recipe {name}: {first}", where=str(weights)) from error
    return game.eval(), config


def rebuild(config: Mapping[str, Any], recipe_file: str | None = None, *, where: str | None = None) -> Game:
    """The game of a configuration as it was before its first step, with weights drawn from torch's default generator.

    Args:
        config: of a model.
        recipe_file: as for `load`.
        where: whose configuration it is, for messages.

    Raises:
        UsageError: the recipe is a file of the user's own, and not named.
        CheckpointError: the configuration does not fit its recipe.
    """
    if config["recipe"].endswith(".py") and recipe_file is None:
        raise UsageError(
            f"this model was made with a recipe of its own, {Path(config['recipe']).name}",
            where=where,
            fix=f"name the file if you trust it: --recipe {config['recipe']}",
        )
    found = recipe.find(recipe_file or config["recipe"])
    shape = config["data"]
    toy = toys.find(shape["toy"]) if shape.get("toy") else None
    blank = Blank(shape["channels"], (shape["height"], shape["width"]), tuple(shape["classes"]), toy)
    return _stage(found.stages(found.configure(**config["options"]), blank), config["stage"], where).game


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and configuration of a model file, verified.

    Raises:
        MissingError: there is no such file.
        CheckpointError: it is a pickle, damaged, foreign, of a newer format, or holds NaN.
    """
    if path.suffix in PICKLES:
        raise CheckpointError(
            "refused: pickle files can run code", where=str(path), fix="ask the author for safetensors"
        )
    if not path.is_file():
        raise MissingError(f"no model in {path.parent}", fix="a model is written with the first checkpoint of a run")
    try:
        # Read once and as a whole: a run that is still training may replace the file at any moment.
        content = path.read_bytes()
        tensors = safetensors.torch.load(content)
        config = _header(content)
    except (SafetensorError, ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is not a saddlepoint model: {error}", where=str(path)) from error
    _check(config, path)
    if config["digest"] != _digest(tensors):
        raise CheckpointError(
            f"{path.name}: the weights do not match their digest", where=str(path), fix="copy it anew"
        )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            bad = int((~tensor.isfinite()).sum())
            raise CheckpointError(f"tensor {name} holds {bad} values that are not finite", where=str(path))
    return tensors, config


def _stage(stages: Iterator[Stage], name: str, where: str | None) -> Stage:
    for stage in stages:
        if stage.name == name:
            return stage
    raise CheckpointError(f"the recipe has no stage {name!r}", where=where)


def _header(content: bytes) -> dict[str, Any]:
    """The configuration in a file's header: 8 bytes of length, then JSON."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return dict(json.loads(header["__metadata__"]["saddlepoint"]))


def _check(config: Mapping[str, Any], path: Path) -> None:
    made = config.get("format")
    if isinstance(made, int) and made > FORMAT:
        raise CheckpointError(f"made by a newer saddlepoint (format {made})", where=str(path))
    try:
        Config.model_validate(config)
    except pydantic.ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise CheckpointError(
            f"{path.name} is not a saddlepoint model: {field}: {wrong['msg'].lower()}", where=str(path)
        ) from None


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _card(config: Mapping[str, Any]) -> str:
    shape = config["data"]
    options = "\n".join(f"| {key} | {value} |" for key, value in config["options"].items())
    content = f"{shape['count']:,} images, {shape['height']}x{shape['width']}, {shape['channels']} channels"
    if shape.get("toy"):
        content = f"{shape['count']:,} points"
    uses = "Sample from it: `saddle sample THIS_FOLDER -n 16`", "sample(16, seed=0)"
    if "translate" in config.get("abilities", ()):
        uses = "Translate pictures with it: `saddle translate THIS_FOLDER IN OUT`", "translate(images)"
    return f"""---
library_name: saddlepoint
tags: [gan, image-generation]
---
# {config["recipe"]}, {config["step"]:,} steps

A generative adversarial network trained with saddlepoint {config["version"]} on `{shape["name"]}`
({content}).

{uses[0]}, or in Python `saddlepoint.load("THIS_FOLDER").{uses[1]}`.

| option | value |
|---|---|
{options}
"""
