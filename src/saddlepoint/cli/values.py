"""Text from the command line as checked values, with one wording for every refusal.

`--batch must be a whole number 1..4096, got "abc"`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import UsageError

LONGEST = 60
"""Characters of a refused text that are repeated to its author."""
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Kind:
    """What a flag accepts.

    Attributes:
        numbers: int, float or None when no number is accepted.
        low, high: bounds of a number, or None.
        open_low, open_high: whether a bound itself is refused.
        choices: the only values accepted, or empty.
        text: whether any text is accepted.
        optional: whether `none` is accepted.
    """

    numbers: type[int] | type[float] | None = None
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    choices: tuple[object, ...] = ()
    text: bool = False
    optional: bool = False

    @property
    def bounds(self) -> str:
        """The bounds for a person: `1..4096`, `> 0 and <= 1`, or nothing."""
        low, high = ("" if bound is None else f"{bound:.10g}" for bound in (self.low, self.high))
        if self.numbers is int and low and high:
            return f"{low}..{high}"
        parts = [f"{'>' if self.open_low else '>='} {low}" if low else "", f"{'<' if self.open_high else '<='} {high}"]
        return " and ".join(part for part in (parts if high else parts[:1]) if part)

    def __str__(self) -> str:
        """What is accepted, as the end of "must be …"."""
        if self.choices:
            words = [str(choice) for choice in self.choices]
        elif self.numbers:
            words = [f"{'a whole number' if self.numbers is int else 'a number'} {self.bounds}".strip()]
        else:
            words = ["text"]
        words += ["none"] if self.optional else []
        return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]

    def read(self, flag: str, text: str, fix: str | None = None) -> object:
        """The value that `text` stands for.

        Raises:
            UsageError: a text that is not accepted; names the flag, what it takes and what it got.
        """
        if self.optional and text.lower() == "none":
            return None
        for choice in self.choices:
            if str(choice) == text:
                return choice
        if self.text and not self.choices:
            return text
        number = self._number(text)
        if number is None:
            shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
            raise UsageError(f'{flag} must be {self}, got "{shown}"', where=flag, fix=fix)
        return number

    def _number(self, text: str) -> int | float | None:
        """A number within the bounds, or None."""
        if self.choices or self.numbers is None:
            return None
        try:
            # Text first: int() would also take "1_000" and " 7", float() "infinity".
            plain = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
            number = (int(text) if self.numbers is int else float(text)) if plain else math.nan
        except ValueError:
            return None
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        inside = (low < number if self.open_low else low <= number) and (
            number < high if self.open_high else number <= high
        )
        return number if inside and math.isfinite(number) else None


def whole(flag: str, low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers for a flag of typer's."""
    return _reader(flag, Kind(numbers=int, low=low, high=high))  # type: ignore[return-value]


def number(flag: str, low: float, high: float) -> Callable[[str], float]:
    """A reader of numbers above `low` and up to `high` for a flag of typer's."""
    return _reader(flag, Kind(numbers=float, low=low, high=high, open_low=True))  # type: ignore[return-value]


def choice(flag: str, choices: Sequence[str]) -> Callable[[str], str]:
    """A reader of one of several words for a flag of typer's."""
    return _reader(flag, Kind(choices=tuple(choices)))  # type: ignore[return-value]


def listed(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(","))


def _reader(flag: str, kind: Kind) -> Callable[[str], object]:
    advice = f"{flag} {kind.choices[0]}" if kind.choices else "write it in digits, within these bounds"

    def read(text: object) -> object:
        # Typer sends defaults through here as well, as the values they are.
        return kind.read(flag, text, fix=advice) if isinstance(text, str) else text

    return read
