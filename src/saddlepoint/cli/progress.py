"""The live display of a training: a bar on a terminal, plain lines in a log file.

It watches like any observer and never touches the game. The time left is what the last minute's pace promises, with
the pictures and checkpoints made in that minute; before there is evidence it says nothing.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from .output import duration

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..observers import Moment

WINDOW = 60.0
"""Seconds of history that the pace is measured over."""
EVIDENCE = 3.0
"""Seconds of history without which no time left is shown."""
STRIDES = (1, 2, 5, 10, 20, 50, 100)


class Pace:
    """Steps per second over the last minute.

    Args:
        clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.marks: deque[tuple[float, int]] = deque()

    def mark(self, step: int) -> None:
        """Notes that `step` is finished now; a step that went back begins a new history."""
        if self.marks and step < self.marks[-1][1]:
            self.marks.clear()
        now = self.clock()
        self.marks.append((now, step))
        while now - self.marks[0][0] > WINDOW and len(self.marks) > 2:
            self.marks.popleft()

    @property
    def span(self) -> float:
        """Seconds from the oldest mark to the newest."""
        return self.marks[-1][0] - self.marks[0][0] if self.marks else 0.0

    @property
    def speed(self) -> float:
        """Steps per second, 0 before two marks."""
        return (self.marks[-1][1] - self.marks[0][1]) / self.span if self.span > 0 else 0.0

    def left(self, steps: int) -> float | None:
        """Seconds until step `steps`, or None while that is a guess."""
        if self.span < EVIDENCE or not self.speed:
            return None
        return max(0, steps - self.marks[-1][1]) / self.speed

    @property
    def stride(self) -> int:
        """Steps between two looks that give about five looks a second."""
        return max((stride for stride in STRIDES if stride <= self.speed / 5), default=1)


class Lines:
    """One line every few seconds, and the last.

    Args:
        stream: where lines go.
        seconds: at least this long between two lines.
        pace: measures the speed.
    """

    def __init__(self, stream: TextIO, seconds: float = 5.0, pace: Pace | None = None) -> None:
        self.stream, self.seconds, self.pace = stream, seconds, pace or Pace()
        self.every = 1
        self.spoken: float | None = None
        self.counted: float | None = None

    def reading(self, done: int, total: int) -> None:
        """Says how many pictures are read or drawn, if that takes longer than a moment."""
        now = self.pace.clock()
        if self.counted is None:
            self.counted = now
        elif now - self.counted >= self.seconds:
            self.counted = now
            print(f"reading  {done:,}/{total:,} pictures", file=self.stream, flush=True)

    def __call__(self, moment: Moment) -> None:
        self.pace.mark(moment.step)
        self.every = self.pace.stride
        for path in moment.written:
            print(f"picture  {path}", file=self.stream, flush=True)
        now = self.pace.clock()
        if self.spoken is None or now - self.spoken >= self.seconds or moment.step >= moment.steps:
            self.spoken = now
            facts = describe(moment, self.pace)
            print(f"step {moment.step:,}/{moment.steps:,}  {facts}".rstrip(), file=self.stream, flush=True)


class Bar:
    """A bar with the losses beside it, drawn over itself.

    Args:
        progress: rich's display, started.
        pace: measures the speed.
    """

    def __init__(self, progress: Progress, pace: Pace | None = None) -> None:
        self.progress, self.pace = progress, pace or Pace()
        self.every = 1
        self.task = progress.add_task("", total=None, facts="")

    def reading(self, done: int, total: int) -> None:
        """Shows how many pictures are read or drawn, before there are steps to show."""
        self.progress.update(
            self.task, completed=done, total=total, description=f"{done:,}/{total:,}", facts="reading pictures"
        )

    def __call__(self, moment: Moment) -> None:
        self.pace.mark(moment.step)
        self.every = self.pace.stride
        for path in moment.written:
            self.progress.console.print(f"picture  {path}", highlight=False, markup=False)
        self.progress.update(
            self.task,
            completed=moment.step,
            total=moment.steps,
            description=f"{moment.step:,}/{moment.steps:,}",
            facts=describe(moment, self.pace),
        )


def describe(moment: Moment, pace: Pace) -> str:
    """Speed, time left and losses in one line."""
    if not pace.speed:
        return "starting" if moment.step < moment.steps else ""
    left = pace.left(moment.steps)
    parts = [f"{pace.speed:.3g} steps/s", f"{moment.images_per_second:,.0f} images/s"]
    parts += [f"{duration(left)} left"] if left else []
    parts += [f"{name} {value:.3g}" for name, value in moment.values.items()]
    return "  ".join(parts)


@contextmanager
def shown(stream: TextIO | None = None) -> Iterator[Lines | Bar]:
    """The observer that fits standard error: a bar on a terminal, else lines."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield Lines(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[facts]}"))
    with Progress(*columns, console=Console(file=stream), refresh_per_second=5) as progress:
        yield Bar(progress)
