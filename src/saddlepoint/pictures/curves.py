"""What the curves of a run say, in plain words and no more than they can say.

A GAN's losses do not measure how good its pictures are: each player's loss depends on the other's strength. They do
show who is winning, whether the game swings, and whether something broke; that is all that is claimed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..conditions import NAMES
from .log import Series, measured, series

FEWEST = 12
"""Records below which nothing is said about a trend."""
ENOUGH = 8
"""Looks of the doctor below which its silence says nothing."""


@dataclass(frozen=True)
class Finding:
    """One thing that the log shows.

    Attributes:
        kind: `empty`, `short`, `stopped_early`, `non_finite`, `event`, `diagnosis`, `recovered`, `healthy`,
            `discriminator_wins`, `generator_wins`, `ahead`, `balanced`, `oscillation`, `rising`, `falling` or `flat`.
        text: whole sentences with the numbers they rest on. Names in it come from the log: escape them.
    """

    kind: str
    text: str

    @property
    def alarming(self) -> bool:
        """Whether a person should do something about it."""
        return self.kind in {"empty", "non_finite", "diagnosis", "discriminator_wins", "generator_wins"}


def explain(records: Sequence[dict[str, Any]], *, steps: int | None = None) -> list[Finding]:
    """Reads the curves of a log, of its last stage if it has several.

    Args:
        records: lines of a log, as `read_log` gives them.
        steps: steps that the run was meant to take, if that is known.

    Returns:
        What went wrong first, what the doctor found, then who is winning, then where the losses are going.
    """
    known = measured(records)
    if not known:
        return [Finding("empty", "The log holds no losses, so there are no curves to read."), *_events(records)]
    curves = series(known)
    findings = [*_non_finite(curves), *_events(records), *diagnoses(records), *_stopped(known, steps)]
    stage = known[-1].get("stage")
    last = series([record for record in known if record.get("stage") == stage])
    last = {name: _finite(curve) for name, curve in last.items()}
    longest = max((len(curve.steps) for curve in last.values()), default=0)
    if longest < FEWEST:
        text = f"Only {longest} {'record' if longest == 1 else 'records'} of losses: too few to speak of a trend."
        return [*findings, Finding("short", text)]
    last = {name: curve for name, curve in last.items() if len(curve.steps) >= FEWEST}
    seen = any("look" in record for record in records)
    opinion = [_tempered(finding) if seen else finding for finding in _opinion(last)]
    return [*findings, *opinion, *_swings(last), *_trends(last)]


def diagnoses(records: Sequence[dict[str, Any]]) -> list[Finding]:
    """What the doctor of the training found while it ran, the conditions that last first."""
    lasting: dict[str, Finding] = {}
    over: list[Finding] = []
    for record in records:
        event, step, message = record.get("event"), record.get("step"), record.get("message")
        name, ended = str(event).removesuffix("_over"), str(event).endswith("_over")
        if name not in NAMES or not isinstance(step, int) or not isinstance(message, str):
            continue
        title = name.replace("_", " ").capitalize()
        if not ended:
            lasting[name] = Finding("diagnosis", f"{title}, found at step {step:,}. {message}")
        elif name in lasting:
            over.append(Finding("recovered", f"{lasting.pop(name).text} It was over at step {step:,}."))
    looks = sum("look" in record for record in records)
    if looks >= ENOUGH and not lasting and not over:
        text = f"The doctor looked {looks:,} times while it ran and found neither collapse nor any other known illness."
        return [Finding("healthy", text)]
    return [*lasting.values(), *over]


def _tempered(finding: Finding) -> Finding:
    """An opinion by scores alone, where the doctor has seen the samples too: no alarm of its own."""
    if not finding.alarming:
        return finding
    ahead = "far ahead" if finding.kind == "discriminator_wins" else "far behind"
    seen = finding.text.partition(": ")[2].partition(",")[0]
    text = f"By its scores the discriminator is {ahead}: {seen}. Whether that harms, the doctor's findings say."
    return Finding("ahead", text)


def _non_finite(curves: dict[str, Series]) -> list[Finding]:
    """Values that are NaN or infinite."""
    bad = [(name, curve.steps[~np.isfinite(curve.values)]) for name, curve in curves.items()]
    bad = [(name, steps) for name, steps in bad if len(steps)]
    if not bad:
        return []
    count = sum(len(steps) for _, steps in bad)
    name, steps = min(bad, key=lambda entry: int(entry[1][0]))
    values = "1 logged value is" if count == 1 else f"{count:,} logged values are"
    return [Finding("non_finite", f"{values} not a finite number; the first is {name} at step {steps[0]:,}.")]


def _events(records: Sequence[dict[str, Any]]) -> list[Finding]:
    """What the run itself wrote down, one sentence a kind of event."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        event = record.get("event")
        if isinstance(event, str) and event.removesuffix("_over") not in NAMES:
            kinds.setdefault(event, []).append(record)
    findings = []
    for kind, events in kinds.items():
        last = events[-1]
        often = "once" if len(events) == 1 else f"{len(events):,} times, the last time"
        where = f" at step {last['step']:,}" if isinstance(last.get("step"), int) else ""
        message = f": {last['message']}" if last.get("message") else "."
        findings.append(Finding("event", f"The run noted “{kind.replace('_', ' ')}” {often}{where}{message}"))
    return findings


def _stopped(known: list[dict[str, Any]], steps: int | None) -> list[Finding]:
    """Whether the log ends well before the run was meant to; the last records of a run may be a few steps early."""
    last = known[-1]["step"]
    pace = known[-1]["step"] - known[-2]["step"] if len(known) > 1 else 1
    if steps is None or last + 2 * pace >= steps:
        return []
    return [Finding("stopped_early", f"The log ends at step {last:,} of {steps:,}, {last / steps:.0%} of the way.")]


def _opinion(curves: dict[str, Series]) -> list[Finding]:
    """Who is winning, by the discriminator's mean probability of “real” over the last quarter."""
    judge = next((name.rpartition("/")[0] for name in curves if name.rpartition("/")[2] == "D(x)"), None)
    prefix = f"{judge}/" if judge else ""
    if judge is None or f"{prefix}D(G(z))" not in curves:
        return []
    real, fake = (_late(curves[f"{prefix}{name}"]) for name in ("D(x)", "D(G(z))"))
    seen = f"over the last quarter D(x) averages {real:.2f} and D(G(z)) {fake:.2f}"
    if real > 0.9 and fake < 0.1:
        cost = _generator_cost(curves)
        rise = f" Meanwhile {cost} rose." if cost else ""
        text = (
            f"The discriminator is winning: {seen}, so it tells nearly every fake from the real.{rise}"
            " A generator learns little from such a judge unless its loss keeps a gradient there."
        )
        return [Finding("discriminator_wins", text)]
    if fake > 0.6 and fake > real - 0.1:
        text = f"The discriminator is losing: {seen}, so it takes most fakes for real and says little about them."
        return [Finding("generator_wins", text)]
    if abs(real - 0.5) < 0.15 and abs(fake - 0.5) < 0.15:
        text = (
            f"The players are balanced: {seen}, near the 0.5 of a judge who cannot tell."
            " A weak judge cannot tell either, so look at the pictures."
        )
        return [Finding("balanced", text)]
    return [Finding("ahead", f"The discriminator is ahead but not certain: {seen}. That is usual for a GAN at work.")]


def _generator_cost(curves: dict[str, Series]) -> str | None:
    """The generator's loss that rose most from the second quarter to the last, as words; None if none rose by half."""
    for name, curve in curves.items():
        if name.startswith("generator/") and "D(" not in name:
            quarter = len(curve.values) // 4
            before, after = float(curve.values[quarter : 2 * quarter].mean()), _late(curve)
            if after > before + 0.5 * abs(before):
                return f"{name}, {before:.2f} over the second quarter and {after:.2f} over the last,"
    return None


def _swings(curves: dict[str, Series]) -> list[Finding]:
    """The clearest regular swing of the second half, if any loss has one."""
    best: tuple[float, str, int, Series] | None = None
    for name, curve in _costs(curves).items():
        late = Series(curve.steps[len(curve.steps) // 2 :], curve.values[len(curve.values) // 2 :])
        strength, period = _period(late.values)
        if period and (best is None or strength > best[0]):
            best = (strength, name, period, late)
    if best is None:
        return []
    _, name, period, late = best
    steps = period * (late.steps[-1] - late.steps[0]) / (len(late.steps) - 1)
    low, high = np.quantile(late.values, (0.05, 0.95))
    text = f"in the second half {name} goes between {low:.2f} and {high:.2f} about every {steps:,.0f} steps"
    return [Finding("oscillation", f"The game swings: {text}.")]


def _period(values: NDArray[np.float64]) -> tuple[float, int]:
    """Strength and length of a regular swing by autocorrelation; (0, 0) where there is none.

    A swing is a peak above 0.5 after a trough below -0.3, seen again one period later, at least four times over. White
    noise has no peak; a drift, also a random one, has no such second peak.
    """
    count = len(values)
    if count < 40:
        return 0.0, 0
    place = np.linspace(-1, 1, count)
    rest = values - np.polyval(np.polyfit(place, values, 2), place)
    power = float(rest @ rest)
    if power <= 1e-12 * count * max(1e-12, float(np.abs(values).max()) ** 2):
        return 0.0, 0
    spectrum = np.abs(np.fft.rfft(rest, 2 * count)) ** 2
    echo = np.fft.irfft(spectrum)[:count] / power * count / np.arange(count, 0, -1)
    below = np.flatnonzero(echo < -0.3)
    if not len(below):
        return 0.0, 0
    first, longest = int(below[0]), count // 4
    if first + 1 >= longest:
        return 0.0, 0
    period = first + int(echo[first:longest].argmax())
    again = echo[round(1.85 * period) : round(2.15 * period) + 1].max(initial=-1)
    return (float(echo[period]), period) if echo[period] > 0.5 and again > 0.4 else (0.0, 0)


def _trends(curves: dict[str, Series]) -> list[Finding]:
    """Where each loss went between the third quarter and the last, measured against its own scatter."""
    moves: dict[str, list[str]] = {"rising": [], "falling": [], "flat": []}
    for name, curve in _costs(curves).items():
        half = curve.values[len(curve.values) // 2 :]
        blocks = np.array([block.mean() for block in np.array_split(half, min(12, len(half) // 2 * 2))])
        middle = len(blocks) // 2
        before, after = float(blocks[:middle].mean()), float(blocks[middle:].mean())
        # Block means carry the slow noise too, so their scatter is an honest error of a quarter's mean.
        scatter = np.sqrt((blocks[:middle].var(ddof=1) + blocks[middle:].var(ddof=1)) / middle)
        moved = abs(after - before) > max(3 * scatter, 0.05 * (abs(before) + abs(after)) / 2)
        kind = ("rising" if after > before else "falling") if moved else "flat"
        moves[kind].append(f"{name} (from {before:.2f} over the third quarter to {after:.2f} over the last)")
    words = {
        "rising": "Still rising at the end: {}.",
        "falling": "Still falling at the end: {}.",
        "flat": "Level over the second half: {}. Level losses do not mean that the pictures have stopped improving.",
    }
    return [Finding(kind, words[kind].format(_listed(names))) for kind, names in moves.items() if names]


def _costs(curves: dict[str, Series]) -> dict[str, Series]:
    """The curves that are not the discriminator's opinion."""
    return {name: curve for name, curve in curves.items() if "D(" not in name}


def _finite(curve: Series) -> Series:
    """The curve without its NaNs and infinities."""
    known = np.isfinite(curve.values)
    return Series(curve.steps[known], curve.values[known])


def _late(curve: Series) -> float:
    """Mean of the last quarter."""
    return float(curve.values[-(len(curve.values) // 4) :].mean())


def _listed(names: list[str], most: int = 4) -> str:
    """Names in a row, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
