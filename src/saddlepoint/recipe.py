"""Recipes: one file per system, found by name or by path.

A recipe is a module with `Options`, `PRESETS`, `SMOKE`, a `Game` and `stages(options, data)`. Everything else (flags,
`saddle list`, the contract tests) follows from it, for a file of the user's own as well: `saddle train ./my_gan.py`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import Field

from .errors import MissingError, UsageError

if TYPE_CHECKING:
    from .game import Stage

FOLDER = Path(__file__).parent / "recipes"


class Options(pydantic.BaseModel):
    """What a recipe lets its user choose. Subclass it; each field has a description and bounds."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


# Options that many recipes have, to be used as `lr: recipe.Rate = 2e-4`.
Size = Annotated[Literal[32, 64, 128], Field(description="height and width of pictures in pixels")]
Channels = Annotated[Literal[1, 3, 4] | None, Field(description="1 gray, 3 RGB, 4 RGBA; none: as the data are")]
Latent = Annotated[int, Field(ge=1, le=4096, description="size of a latent")]
Width = Annotated[
    int, Field(ge=4, le=4096, description="channels at half the pictures' size; for points hidden features")
]
Depth = Annotated[int, Field(ge=1, le=8, description="hidden layers for points; for pictures their size decides")]
Rate = Annotated[float, Field(gt=0, le=1, description="learning rate of both players")]
Beta1 = Annotated[float, Field(ge=0, lt=1, description="Adam's decay of the mean gradient")]
Average = Annotated[float, Field(ge=0, description="half-life in steps of the generator's moving average; 0: none")]
Decay = Annotated[float, Field(ge=0, le=1, description="part of the training after which rates fall linearly to 0")]
Batch = Annotated[int, Field(ge=2, le=65536, description="samples per step")]
Steps = Annotated[int, Field(ge=1, description="rounds to play")]
Epochs = Annotated[float | None, Field(gt=0, description="passes over the data to play, instead of steps")]


@dataclass(frozen=True)
class Recipe:
    """A recipe, loaded.

    Attributes:
        name: as the user types it.
        module: the file, imported.
        options: its `Options`.
        presets: option values by preset name.
        smoke: options that run in seconds on a CPU.
        stages: yields its stages, given options and a data source.
    """

    name: str
    module: ModuleType
    options: type[Options]
    presets: Mapping[str, Mapping[str, Any]]
    smoke: Mapping[str, Any]
    stages: Callable[[Any, Any], Iterator[Stage]]

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (self.module.__doc__ or "").strip().partition("\n")[0]

    @property
    def address(self) -> str:
        """By what a later command finds it: its name, or the path of the user's own file."""
        own = not self.module.__name__.startswith(f"{__package__}.")
        return str(Path(str(self.module.__file__)).resolve()) if own else self.name

    def configure(self, preset: str | None = None, **given: Any) -> Options:
        """Validated options: the defaults, then the preset, then what is given; given steps take the place of epochs.

        Raises:
            UsageError: an unknown preset or option, or a value out of bounds.
        """
        if preset is not None and preset not in self.presets:
            raise UsageError(
                f"{self.name} has no preset {preset!r}{_meant(preset, self.presets)}",
                where="--preset",
                fix=f"choose one of {', '.join(self.presets) or 'none: it has no presets'}",
            )
        for option in given:
            if option not in self.options.model_fields:
                raise UsageError(
                    f"{self.name} has no option {option!r}{_meant(option, self.options.model_fields)}",
                    fix=f"its options are {', '.join(self.options.model_fields)}",
                )
        chosen = {**self.presets.get(preset or "", {}), **given}
        if "steps" in given and "epochs" not in given and "epochs" in self.options.model_fields:
            chosen["epochs"] = None  # who says how many steps means no other length that was there before
        try:
            return self.options(**chosen)
        except pydantic.ValidationError as error:
            raise _refusal(self.options, error) from None


def rounds(options: Any, examples: Sized) -> int:
    """Steps to play: the options' `steps`, or as many as their `epochs` over the data take at their `batch`."""
    steps: int = options.steps
    return steps if options.epochs is None else math.ceil(options.epochs * len(examples) / options.batch)


def classes(examples: Any) -> tuple[str, ...]:
    """Names of the classes of the data, for a recipe that cannot do without.

    Raises:
        UsageError: they have none.
    """
    found: tuple[str, ...] = examples.classes
    if not found:
        raise UsageError(
            f"{examples.name} has no classes, and this recipe makes what is asked for by class",
            where="DATA",
            fix="name an attribute with --by, sort the pictures into one folder a class, or choose another recipe",
        )
    return found


def names() -> list[str]:
    """Names of the recipes that come with saddlepoint."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def summaries() -> dict[str, str]:
    """First line of each recipe's docstring, read without importing it."""
    docs = {name: ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or "" for name in names()}
    return {name: doc.partition("\n")[0] for name, doc in docs.items()}


def find(name: str) -> Recipe:
    """The recipe called `name`, or in the file `name` when it ends in `.py`.

    Raises:
        MissingError: there is no such recipe or file.
        UsageError: the file is not a recipe.
    """
    if name.endswith(".py"):
        return _load(Path(name).stem, _import_file(Path(name)))
    if name not in names():
        raise MissingError(
            f"no recipe {name!r}{_meant(name, names())}",
            where="RECIPE",
            fix=f"choose one of {', '.join(names())}, or give a file of your own: ./my_gan.py",
        )
    return _load(name, importlib.import_module(f"{__package__}.recipes.{name}"))


def _load(name: str, module: ModuleType) -> Recipe:
    missing = [part for part in ("Options", "SMOKE", "stages") if not hasattr(module, part)]
    if missing:
        raise UsageError(
            f"{name} is not a recipe: it lacks {', '.join(missing)}",
            where=str(module.__file__),
            fix="see docs/guide/your-own-gan.md for the parts of a recipe",
        )
    return Recipe(name, module, module.Options, getattr(module, "PRESETS", {}), module.SMOKE, module.stages)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise MissingError(f"no recipe file {path}", where="RECIPE", fix="check the path")
    spec = importlib.util.spec_from_file_location(f"saddlepoint_user_{path.stem}", path)
    assert spec is not None, "a .py path always has a spec"
    assert spec.loader is not None, "and a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic resolves annotations through it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} fails when imported: {type(error).__name__}: {error}", where=str(path)) from error
    return module


def _meant(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _refusal(options: type[Options], error: pydantic.ValidationError) -> UsageError:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    flag = "--" + field.replace("_", "-")
    text = first["msg"][0].lower() + first["msg"][1:]
    description = options.model_fields[field].description if field in options.model_fields else None
    return UsageError(f"{flag}: {text}, got {first['input']!r}", where=flag, fix=description)
