"""A recipe's options as flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from saddlepoint import recipe
from saddlepoint.cli.options import fields_of, kind, recipe_name, split
from saddlepoint.errors import UsageError
from tests.cli.conftest import Call

DECLARED = {"--preset": True, "--steps": True, "--json": False, "-n": True}

OWN_RECIPE = '''"""A recipe of one's own."""

from pydantic import Field

from saddlepoint import recipe


class Options(recipe.Options):
    size: int = Field(8, ge=1, le=64, description="side")
    mirror: bool = Field(False, description="also mirrored")
    note: str = Field("", description="any text")


SMOKE = {}


def stages(options, data):
    yield from ()
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my_gan.py"
    path.write_text(OWN_RECIPE)
    return path


@pytest.mark.parametrize(
    "line",
    ["dcgan photos --size 32", "--steps 5 dcgan photos", "--steps=5 dcgan", "--width 8 dcgan photos", "--json dcgan"],
)
def test_the_recipe_is_found_wherever_it_stands(line: str) -> None:
    assert recipe_name(line.split(), DECLARED) == "dcgan"


def test_without_a_known_recipe_the_first_word_is_meant() -> None:
    assert recipe_name(["dcgn", "photos"], DECLARED) == "dcgn"
    assert recipe_name(["--json", "--steps", "3"], DECLARED) is None


def test_a_line_is_split_between_typer_and_the_recipe() -> None:
    line = "dcgan --size 32 photos --steps 5 --lr-generator=1e-3 --json --channels none -n --odd"
    rest, given = split(line.split(), DECLARED, recipe.find("dcgan"))
    assert rest == ["dcgan", "photos", "--steps", "5", "--json", "-n", "--odd"]
    assert given == {"size": 32, "lr_generator": 1e-3, "channels": None}


def test_switches_of_a_recipe_have_a_negative(own: Path) -> None:
    found = recipe.find(str(own))
    assert split(["--mirror"], {}, found)[1] == {"mirror": True}
    assert split(["--no-mirror"], {}, found)[1] == {"mirror": False}
    assert split(["--mirror=no", "--note", "--x"], {}, found)[1] == {"mirror": False, "note": "--x"}
    with pytest.raises(UsageError, match='--mirror must be yes or no, got "maybe"'):
        split(["--mirror=maybe"], {}, found)
    with pytest.raises(UsageError, match="no option --no-size; did you mean --size"):
        split(["--no-size"], {}, found)


def test_an_unknown_flag_names_its_neighbor_and_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"dcgan has no option --lr-genrator; did you mean --lr-generator\?") as caught:
        split(["--lr-genrator", "1"], DECLARED, recipe.find("dcgan"))
    assert "--lr-discriminator" in str(caught.value.fix)


def test_a_flag_without_its_value_says_what_it_takes() -> None:
    with pytest.raises(UsageError, match="--size needs a value: 32, 64 or 128"):
        split(["dcgan", "--size"], DECLARED, recipe.find("dcgan"))


@pytest.mark.parametrize("name", recipe.names())
def test_every_default_of_every_recipe_can_be_typed(name: str) -> None:
    for option, field in fields_of(recipe.find(name)).items():
        text = "none" if field.default is None else str(field.default)
        if field.annotation is not bool:
            assert kind(field).read(option, text) == field.default, option


def test_help_of_a_recipe_shows_its_flags_bounds_and_presets(saddle: Call) -> None:
    answer = saddle("train", "dcgan", "--help")
    assert answer.code == 0
    for words in ("--lr-generator", "a whole number", "--preset anime", "--checkpoint-every", "learning rate"):
        assert words in answer.out, words


def test_help_of_a_recipe_of_ones_own(saddle: Call, own: Path) -> None:
    answer = saddle("train", own, "--help")
    assert answer.code == 0
    assert "--mirror" in answer.out
