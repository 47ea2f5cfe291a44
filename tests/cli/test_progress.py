"""The progress display, on a clock of its own."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from saddlepoint.cli.output import duration
from saddlepoint.cli.progress import Bar, Lines, Pace, shown


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Moment:
    step: int
    steps: int = 1000
    images_per_second: float = 640.0
    seconds: float = 0.0
    values: dict[str, float] = field(default_factory=lambda: {"critic/real": 0.5})
    written: list[Path] = field(default_factory=list)


def play(observer: Any, clock: Clock, steps: range, seconds: float) -> None:
    for step in steps:
        clock.now += seconds
        observer(Moment(step))


def test_time_left_follows_the_pace_of_the_last_minute() -> None:
    clock = Clock()
    pace = Pace(clock)
    for step in range(100):
        clock.now += 1
        pace.mark(step)
    for step in range(100, 1300):
        clock.now += 0.1
        pace.mark(step)
    assert pace.speed == pytest.approx(10, rel=0.01)
    assert pace.left(2299) == pytest.approx(100, rel=0.01)


def test_no_time_left_is_told_before_there_is_evidence() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.left(10) is None
    pace.mark(0)
    clock.now += 1
    pace.mark(1)
    assert pace.left(10) is None
    clock.now += 3
    pace.mark(4)
    assert pace.left(10) == pytest.approx(6)


def test_going_back_begins_a_new_history() -> None:
    clock = Clock()
    pace = Pace(clock)
    for step in (0, 10, 4):
        clock.now += 1
        pace.mark(step)
    assert pace.speed == 0
    clock.now += 1
    pace.mark(5)
    assert pace.speed == pytest.approx(1)


def test_lines_come_every_few_seconds_and_at_the_end() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, seconds=5, pace=Pace(clock))
    play(lines, clock, range(0, 1001), 1 / 32)
    told = stream.getvalue().splitlines()
    assert told[0] == "step 0/1,000  starting"
    assert told[1] == "step 160/1,000  32 steps/s  640 images/s  26 s left  critic/real 0.5"
    assert told[-1] == "step 1,000/1,000  32 steps/s  640 images/s  critic/real 0.5"
    assert len(told) == 8


def test_long_reading_is_counted_and_short_reading_is_not() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, seconds=5, pace=Pace(clock))
    for done in range(0, 101):
        lines.reading(done, 1000)
        clock.now += 1 / 32
    assert stream.getvalue() == ""
    for done in range(101, 401):
        lines.reading(done, 1000)
        clock.now += 1 / 32
    assert stream.getvalue().splitlines() == ["reading  160/1,000 pictures", "reading  320/1,000 pictures"]


def test_looks_become_rare_when_steps_are_fast() -> None:
    clock = Clock()
    lines = Lines(io.StringIO(), pace=Pace(clock))
    assert lines.every == 1
    play(lines, clock, range(0, 50), 0.01)
    assert lines.every == 20
    assert 100 % lines.every == 0


def test_the_bar_shows_speed_time_left_and_losses() -> None:
    clock = Clock()
    screen = Console(file=io.StringIO(), width=160, force_terminal=True)
    with Progress(
        TextColumn("{task.description} {task.fields[facts]}"), console=screen, auto_refresh=False
    ) as progress:
        bar = Bar(progress, Pace(clock))
        bar.reading(40, 200)
        progress.refresh()
        assert "40/200 reading pictures" in screen.file.getvalue()  # type: ignore[attr-defined]
        play(bar, clock, range(0, 500), 0.1)
        progress.refresh()
    drawn = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "499/1,000 10 steps/s  640 images/s  50 s left  critic/real 0.5" in drawn


def test_a_file_gets_lines_and_a_terminal_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    with shown(stream) as display:
        assert isinstance(display, Lines)
    monkeypatch.setattr(stream, "isatty", lambda: True)
    with shown(stream) as display:
        assert isinstance(display, Bar)


@pytest.mark.parametrize(("seconds", "text"), [(8.4, "8 s"), (59.6, "1:00"), (200, "3:20"), (3725, "1:02:05")])
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_picture_is_named_when_it_is_made() -> None:
    stream = io.StringIO()
    Lines(stream)(Moment(3, written=[Path("runs/a/samples/step-000003.png")]))
    assert "picture  runs/a/samples/step-000003.png\n" in stream.getvalue()
