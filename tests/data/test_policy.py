"""Decisions and how they are typed."""

import pytest

from saddlepoint.data.policy import Policy, parse_color, parse_share
from saddlepoint.errors import UsageError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("on_bad", "maybe"),
        ("crop", "left"),
        ("floats", "guess"),
        ("max_bad", 1.5),
        ("max_bad", float("nan")),
        ("background", (0, 0, 256)),
        ("background", (0, 0)),
        ("max_pixels", 0),
        ("min_side", 0),
        ("max_member_mb", -1),
    ],
)
def test_a_wrong_decision_names_its_flag(field, value):
    with pytest.raises(UsageError) as error:
        Policy(**{field: value})
    assert error.value.where == "--" + field.replace("_", "-")


def test_shares_and_colors_as_typed():
    assert parse_share("45%") == 0.45
    assert parse_share("0.05") == 0.05
    assert parse_color("white") == (255, 255, 255)
    assert parse_color("#ff8000") == (255, 128, 0)
    assert parse_color("1,2,3") == (1, 2, 3)


@pytest.mark.parametrize("text", ["", "%", "a lot", "5%%"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(UsageError, match="a share"):
        parse_share(text)


@pytest.mark.parametrize("text", ["", "whitish", "1,2", "1,2,x", "#12"])
def test_what_is_no_color_is_refused(text):
    with pytest.raises(UsageError, match="a color"):
        parse_color(text)


def test_when_to_give_up_does_not_change_the_pixels():
    assert Policy(max_bad=0.5, on_bad="stop").pixel_rules() == Policy().pixel_rules()
    assert Policy(crop="pad").pixel_rules() != Policy().pixel_rules()
