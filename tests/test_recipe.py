"""Recipes are found by name or by path, and what they are told is checked before anything starts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from saddlepoint import recipe
from saddlepoint.errors import MissingError, UsageError

OWN = '''"""Mine: a GAN of my own.

More about it.
"""

from pydantic import Field

from saddlepoint import recipe


class Options(recipe.Options):
    """Options."""

    lr: float = Field(1e-3, gt=0, le=0.1, description="learning rate")
    batch: int = Field(8, ge=1, le=64, description="images per step")


PRESETS = {"fast": {"lr": 0.01}}
SMOKE = {"batch": 2}


def stages(options, data):
    yield from ()
'''


@pytest.fixture
def own(tmp_path: Path) -> Iterator[recipe.Recipe]:
    """A recipe in a user's own file."""
    before = set(sys.modules)
    path = tmp_path / "my_gan.py"
    path.write_text(OWN)
    yield recipe.find(str(path))
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_recipes_are_the_files_of_their_folder() -> None:
    assert {"gan", "dcgan"} <= set(recipe.names())
    assert recipe.names() == sorted(recipe.names())
    assert not [name for name in recipe.names() if name.startswith("_")]


def test_summaries_are_read_without_importing() -> None:
    summaries = recipe.summaries()
    assert list(summaries) == recipe.names()
    for name, summary in summaries.items():
        assert summary == recipe.find(name).summary
        assert summary.endswith(".")


def test_a_recipe_of_the_package_is_addressed_by_its_name() -> None:
    assert recipe.find("gan").address == "gan"


def test_a_file_of_ones_own_is_a_recipe(own: recipe.Recipe, tmp_path: Path) -> None:
    assert own.name == "my_gan"
    assert own.summary == "Mine: a GAN of my own."
    assert own.address == str((tmp_path / "my_gan.py").resolve())
    assert own.presets == {"fast": {"lr": 0.01}}
    assert own.smoke == {"batch": 2}
    assert own.configure().model_dump() == {"lr": 1e-3, "batch": 8}


def test_what_is_given_wins_over_the_preset_and_the_preset_over_the_defaults(own: recipe.Recipe) -> None:
    assert own.configure("fast", batch=4).model_dump() == {"lr": 0.01, "batch": 4}
    assert own.configure("fast", lr=0.02).model_dump() == {"lr": 0.02, "batch": 8}


def test_given_steps_take_the_place_of_a_presets_epochs() -> None:
    anime = recipe.find("dcgan").presets["anime"]
    assert anime["epochs"] is not None
    dcgan = recipe.find("dcgan")
    assert dcgan.configure("anime").epochs == anime["epochs"]  # type: ignore[attr-defined]
    assert dcgan.configure("anime", steps=7).epochs is None  # type: ignore[attr-defined]
    assert dcgan.configure("anime", steps=7, epochs=2.0).epochs == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("preset", "given", "message", "where"),
    [
        ("fats", {}, "my_gan has no preset 'fats'; did you mean 'fast'?", "--preset"),
        (None, {"bacth": 3}, "my_gan has no option 'bacth'; did you mean 'batch'?", None),
        (None, {"lr": 0}, "--lr: input should be greater than 0, got 0", "--lr"),
        (None, {"lr": float("nan")}, "--lr: input should be a finite number, got nan", "--lr"),
        (None, {"batch": "many"}, "--batch: input should be a valid integer", "--batch"),
        (None, {"batch": 65}, "--batch: input should be less than or equal to 64, got 65", "--batch"),
    ],
)
def test_what_cannot_be_is_refused(
    own: recipe.Recipe, preset: str | None, given: dict[str, object], message: str, where: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        own.configure(preset, **given)
    assert caught.value.what.startswith(message)
    assert caught.value.where == where
    assert caught.value.fix


def test_a_refusal_explains_the_option(own: recipe.Recipe) -> None:
    with pytest.raises(UsageError) as caught:
        own.configure(lr=2)
    assert caught.value.fix == "learning rate"


def test_options_cannot_be_changed_afterwards(own: recipe.Recipe) -> None:
    with pytest.raises(ValueError, match="frozen"):
        own.configure().lr = 2.0  # type: ignore[attr-defined]


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(MissingError, match="no recipe 'dcgna'; did you mean 'dcgan'") as caught:
        recipe.find("dcgna")
    assert caught.value.fix is not None
    assert ", ".join(recipe.names()) in caught.value.fix
    assert caught.value.exit_code == 66


def test_a_missing_file_is_named() -> None:
    with pytest.raises(MissingError, match=r"no recipe file nowhere/my_gan\.py"):
        recipe.find("nowhere/my_gan.py")


@pytest.mark.parametrize("part", ["Options", "SMOKE", "stages"])
def test_a_file_that_lacks_a_part_is_no_recipe(part: str, tmp_path: Path) -> None:
    path = tmp_path / "partial.py"
    path.write_text(
        OWN.replace(f"class {part}(", "class X(").replace(f"{part} =", "x =").replace(f"def {part}(", "def x(")
    )
    with pytest.raises(UsageError, match=f"partial is not a recipe: it lacks {part}"):
        recipe.find(str(path))


def test_a_file_that_fails_says_how(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import math\nmath.nothing\n")
    with pytest.raises(
        UsageError, match="fails when imported: AttributeError: module 'math' has no attribute 'nothing'"
    ):
        recipe.find(str(path))
