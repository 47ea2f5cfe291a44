"""Tells from a run's looks which conditions it has, and when each began and was over. Pure: no game, no file, no clock.

A young GAN shows every symptom there is and gets over most of them. So a symptom counts only when it lasts for a good
part of the run, and of a run that still gets better most are not held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from .conditions import CONDITIONS, Condition, Look, typical

FEWEST = 5
"""Looks that a symptom has to last at least."""
PATIENCE = 0.3
"""Part of the stage that a symptom has to last, up to `LONGEST` steps."""
LONGEST = 10_000
_OFTEN, _SELDOM = 0.9, 0.5  # of that time, to be found and to be over


@dataclass(frozen=True)
class Finding:
    """That a condition began, or is over.

    Attributes:
        condition: which.
        step: when it was found.
        over: whether it is over.
        text: whole sentences.
    """

    condition: Condition
    step: int
    over: bool
    text: str

    @property
    def event(self) -> str:
        """What kind of event it is in a log: `mode_collapse`, `mode_collapse_over`."""
        return self.condition.name + "_over" * self.over


class Chart:
    """What is known of a patient: every look, and which conditions it is in.

    Args:
        steps: of the stage.
    """

    def __init__(self, steps: int) -> None:
        self.patience = min(PATIENCE * steps, LONGEST)
        self.looks: list[Look] = []
        self.signs: dict[str, list[bool]] = {condition.name: [] for condition in CONDITIONS}
        self.found: dict[str, int] = {}

    def add(self, look: Look) -> list[Finding]:
        """Notes a look, and says which conditions it settled. A step that went back takes back what came after it."""
        while self.looks and self.looks[-1].step >= look.step:
            self.looks.pop()
            for signs in self.signs.values():
                signs.pop()
        self.looks.append(look)
        for condition in CONDITIONS:
            self.signs[condition.name].append(condition.sign(self.looks))
        return [finding for condition in CONDITIONS if (finding := self._settle(condition))]

    def _settle(self, condition: Condition) -> Finding | None:
        last, start = self.looks[-1].step, len(self.looks) - FEWEST
        if condition.chronic:
            lasting = (i for i, look in enumerate(self.looks) if look.step >= last - self.patience)
            start = min(next(lasting), start)
        # Before its first step a generator knows nothing: that is no symptom.
        if start < 1:
            return None
        window, signs = self.looks[start:], self.signs[condition.name][start:]
        share, step = sum(signs) / len(signs), window[-1].step
        if condition.name in self.found:
            if share > _SELDOM or signs[-1]:
                return None
            began = self.found.pop(condition.name)
            return Finding(condition, step, True, f"Not seen any more, {step - began:,} steps later.")
        if self.found.keys() & condition.unless or share < _OFTEN or not signs[-1]:
            return None
        if condition.chronic and improving(window, condition.progress):
            return None
        self.found[condition.name] = step
        return Finding(condition, step, False, condition.told(window))


def improving(looks: Sequence[Look], names: Iterable[str]) -> bool:
    """Whether one of the numbers, such as `distance` or `coverage`, got clearly better from half to half."""
    early, late = looks[: len(looks) // 2], looks[len(looks) // 2 :]
    return any(_better(name, early, late) for name in names)


def _better(name: str, early: Sequence[Look], late: Sequence[Look]) -> bool:
    if name == "distance":
        return typical(late, name) < 0.85 * typical(early, name)
    if not typical(late, name) > typical(early, name) + 0.05:  # also where nothing was measured
        return False
    # Points that hop about are now near each other, now far. More various than the data is no better than the data.
    lowest = min(value for look in late if (value := getattr(look, name)) is not None)
    return typical(early, name) < min(lowest, 1.0)


def read_looks(records: Iterable[dict[str, Any]], stage: str) -> list[Look]:
    """The looks of a stage that a log holds; lines that are not looks are passed over."""
    known = {field.name for field in fields(Look)}
    looks = []
    for record in records:
        measured = record.get("look")
        if record.get("stage") == stage and isinstance(measured, dict) and isinstance(measured.get("step"), int):
            numbers: dict[str, Any] = {k: v for k, v in measured.items() if isinstance(v, int | float | list)}
            looks.append(Look(**{name: value for name, value in numbers.items() if name in known}))
    return looks
