"""Text as checked values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saddlepoint.cli.values import Kind, choice, number, whole
from saddlepoint.errors import UsageError

BATCH = Kind(numbers=int, low=1, high=4096)
RATE = Kind(numbers=float, low=0, high=1, open_low=True)


@given(st.integers(1, 4096))
def test_every_whole_number_within_the_bounds_is_read(value: int) -> None:
    assert BATCH.read("--batch", str(value)) == value


@given(st.integers().filter(lambda value: not 1 <= value <= 4096))
def test_every_whole_number_outside_is_refused(value: int) -> None:
    with pytest.raises(UsageError, match=r"^--batch must be a whole number 1\.\.4096, got "):
        BATCH.read("--batch", str(value))


@pytest.mark.parametrize("text", ["abc", "", "1.5", "1e3", "1_000", " 7", "٧", "0x10", "nan", "--size"])
def test_what_is_no_whole_number_is_refused_in_one_wording(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        BATCH.read("--batch", text, fix="--batch 64")
    assert caught.value.what == f'--batch must be a whole number 1..4096, got "{text}"'
    assert (caught.value.where, caught.value.fix, caught.value.exit_code) == ("--batch", "--batch 64", 64)


def test_a_long_text_is_repeated_in_part() -> None:
    with pytest.raises(UsageError) as caught:
        BATCH.read("--batch", "9" * 5000)
    assert caught.value.what == f'--batch must be a whole number 1..4096, got "{"9" * 59}…"'


@given(st.floats(0, 1, exclude_min=True))
def test_floats_are_read_as_python_writes_them(value: float) -> None:
    assert RATE.read("--lr", repr(value)) == value


@pytest.mark.parametrize("text", ["0", "-1", "1.01", "nan", "inf", "1e999", "0,002", "2e-4,"])
def test_numbers_out_of_bounds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--lr must be a number > 0 and <= 1, got"):
        RATE.read("--lr", text)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind(choices=(32, 64, 128)), "32, 64 or 128"),
        (Kind(choices=(1, 3, 4), optional=True), "1, 3, 4 or none"),
        (Kind(numbers=float, low=0), "a number >= 0"),
        (Kind(numbers=float, high=3, open_high=True), "a number < 3"),
        (Kind(numbers=int), "a whole number"),
        (Kind(numbers=float, low=0, open_low=True, optional=True), "a number > 0 or none"),
        (Kind(text=True), "text"),
    ],
)
def test_a_kind_says_what_it_takes(kind: Kind, words: str) -> None:
    assert str(kind) == words


def test_choices_keep_their_type_and_none_is_a_word() -> None:
    assert Kind(choices=(32, 64)).read("--size", "64") == 64
    assert Kind(choices=(1, 3), optional=True).read("--channels", "none") is None
    assert Kind(text=True).read("--note", "7") == "7"


def test_readers_for_typer_pass_defaults_through() -> None:
    assert whole("--seed", 0, 9)("7") == 7
    assert number("--fps", 0, 120)("12.5") == 12.5
    assert choice("--device", ("auto", "cpu"))("cpu") == "cpu"
    assert whole("--seed", 0, 9)(0) == 0  # type: ignore[arg-type]
