"""The report of a run: one page that holds everything it shows, pictures first, then what happened, then numbers.

It is written from the files of the run's folder alone, so it can be made during a run, after a crash, or years later;
whatever is missing or damaged is left out. All of it is untrusted: names of files and classes are other people's.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .atomic import replacing
from .curves import explain
from .embed import Embedded, embed, plot
from .log import read_log, series
from .page import facts_list, figure, folded, listing, page, paragraph, section, table, text

# Bytes before base64; together under the 3 MB that make a page of 4 MB.
_LARGE, _FILM, _SHEET, _WALK, _BESIDE = 450_000, 850_000, 400_000, 400_000, 300_000
_MOST_NAMES = 40

_STATUS = {
    "done": ("Done", "done"),
    "stopped": ("Stopped, can be resumed", ""),
    "failed": ("Failed", "failed"),
    "running": ("Running, or ended without a word", ""),
}


def write_report(folder: Path) -> Path:
    """Writes `report.html` into a run's folder, anew each time.

    Args:
        folder: of a run: finished, running, crashed, or empty but for `run.json`.

    Returns:
        The page: under 4 MB, without scripts, and without a single request to anywhere.

    Raises:
        DiskError: the folder cannot be written to.
    """
    run, records = _read_json(folder / "run.json"), read_log(folder / "log.jsonl")
    name = str(run.get("name") or folder.resolve().name)
    parts = [
        _head(name, run, records),
        _pictures(folder),
        _curves(records, run),
        _numbers(run),
        _data(_read_json(folder / "data_report.json")),
        _again(run),
        "<footer>Written by saddlepoint. This page holds all that it shows and asks the network for nothing.</footer>",
    ]
    path = folder / "report.html"
    with replacing(path) as draft:
        draft.write_bytes(page(f"{name} · saddlepoint", "\n".join(part for part in parts if part)))
    return path


def _head(name: str, run: Mapping[str, Any], records: list[dict[str, Any]]) -> str:
    """Name, what was trained on what, and the four numbers that everyone asks for."""
    data, plan = _part(run, "data"), _part(run, "plan")
    words = [str(run.get("recipe") or "a run")]
    if run.get("preset"):
        words.append(f"preset {run['preset']}")
    if source := _part(run, "source").get("spec") or data.get("spec") or data.get("name"):
        words.append(f"on {source}")
    if _number(data.get("count")):
        words.append(f"{_count(data['count'])} {'points' if data.get('toy') else 'pictures'}")
    step = max((record["step"] for record in records if isinstance(record.get("step"), int)), default=run.get("step"))
    label, kind = _STATUS.get(str(run.get("status")), ("Unknown", ""))
    speeds = [speed for record in records if (speed := _number(record.get("images_per_second")))]
    facts = {
        "Status": label,
        "Steps": f"{_count(step)} of {_count(run.get('steps'))}" if run.get("steps") else _count(step),
        "Time": _duration(run.get("seconds") or (records[-1].get("seconds") if records else None)),
        "Speed": f"{np.median(speeds):,.0f} {'points' if data.get('toy') else 'images'}/s" if speeds else "–",
        "Device": ", ".join(str(plan[key]) for key in ("device", "precision") if plan.get(key)) or "–",
    }
    shown = facts_list((fact, value, kind if fact == "Status" else "") for fact, value in facts.items())
    title = f'<p class="kicker">saddlepoint</p>\n<h1>{text(name)}</h1>'
    return f"<header>\n{title}\n{paragraph(', '.join(words), 'lead')}\n{shown}</header>"


def _pictures(folder: Path) -> str:
    """Everything there is to look at, the newest samples first and largest."""
    from .portfolio import samples
    from .translations import read_layout

    parts = []
    layout = read_layout(folder / "samples")
    same = f"the same pictures ({' · '.join(layout.heads)})" if layout else "the same latents"
    for step, path in reversed(samples(folder)):
        if image := embed(path, _LARGE):
            caption = f"Samples at step {step:,}, of {same}, as in every picture of this run."
            parts.append(figure(image.tag(f"Generated samples at step {step}"), caption, _scale(image)))
            break
    films = [
        ("progress.webp", _FILM, "Learning", f"Of {same}, from the first step to the last."),
        ("walk.webp", _WALK, "A walk", "Neighboring latents give neighboring pictures; the walk ends where it began."),
        ("explore.webp", _WALK, "Exploring", "Many walks at once, from state to state in straight lines."),
    ]
    shown = [(image, title, words) for name, size, title, words in films if (image := embed(folder / name, size))]
    if shown:
        figures = [figure(image.tag(f"Film: {title}"), f"{title}. {words}") for image, title, words in shown]
        parts.append(section("In motion", f'<div class="pair">{"".join(figures)}</div>'))
    sheets = [
        ("evolution.png", _SHEET, "Step by step", "The same samples at steps spread evenly over the run."),
        ("modes.png", _BESIDE, "Modes", "How often samples hit each mode; dotted: what points of the data reach."),
        ("real_vs_fake.png", _BESIDE, "Real against generated", "The data beside what the generator makes."),
    ]
    for name, size, title, words in sheets:
        if image := embed(folder / name, size):
            parts.append(section(title, figure(image.tag(title), words)))
    return "\n".join(parts) or paragraph("This run has made no pictures yet.", "note")


def _curves(records: list[dict[str, Any]], run: Mapping[str, Any]) -> str:
    """What the curves say, and the curves, drawn for light and for dark paper."""
    findings = explain(records, steps=run["steps"] if isinstance(run.get("steps"), int) and run["steps"] > 0 else None)
    said = listing([("alarming" if finding.alarming else "", finding.text) for finding in findings], "says")
    image = ""
    if series(records):
        from .plots import DARK, draw_losses

        light, dark = _plotted(draw_losses(records, "webp")), _plotted(draw_losses(records, "webp", DARK))
        source = f'<source srcset="{dark.uri}" media="(prefers-color-scheme: dark)">'
        caption = "Faint: as logged. Bold: smoothed. The dotted line is a discriminator that cannot tell."
        image = figure(f"<picture>{source}{light.tag('Losses over steps')}</picture>", caption)
    return section("What the curves say", said, image)


def _numbers(run: Mapping[str, Any]) -> str:
    """Options and plan, side by side."""
    data = _part(run, "data")
    facts = {
        "Started": run.get("started"),
        "Finished": run.get("finished"),
        "Points" if data.get("toy") else "Pictures": _count(data.get("count")) if data.get("count") else None,
        "Picture size": " × ".join(str(data[key]) for key in ("width", "height", "channels") if data.get(key)),
        "Classes": _shortened(data.get("classes")),
        "Data fingerprint": data.get("fingerprint"),
        **{str(key).capitalize(): value for key, value in _part(run, "plan").items()},
    }
    known = {fact: _plain(value) for fact, value in facts.items() if value not in (None, "", [])}
    options = {str(key): _plain(value) for key, value in _part(run, "options").items()}
    left = f"<div><h3>Options</h3>{table(options)}</div>" if options else ""
    right = f"<div><h3>Run</h3>{table(known)}</div>" if known else ""
    return section("Numbers", f'<div class="columns">{left}{right}</div>' if left or right else "")


def _data(report: Mapping[str, Any]) -> str:
    """What the scan of the data found: how many pictures are good, which are not and why, what was converted."""
    if not report:
        return ""
    skipped = {str(reason): names for reason, names in _part(report, "skipped").items() if isinstance(names, list)}
    bad = sum(len(names) for names in skipped.values())
    rows: list[tuple[str, object]] = [("Usable", _count(report.get("usable"))), ("Left out", _count(bad))]
    rows += [(f"Converted: {kind}", _count(count)) for kind, count in _part(report, "converted").items()]
    for fact in ("duplicates", "constant", "enlarged", "elongated"):
        if _number(report.get(fact)):
            rows.append((fact.capitalize(), _count(report[fact])))
    for fact in ("sizes", "classes", "ignored"):
        if part := _part(report, fact):
            rows.append((fact.capitalize(), _shortened([f"{key} ({_count(count)})" for key, count in part.items()])))
    lists = []
    for reason, names in skipped.items():
        shown = [(str(_name(entry)), _detail(entry)) for entry in names[:_MOST_NAMES]]
        more = f" (the first {_MOST_NAMES})" if len(names) > _MOST_NAMES else ""
        lists.append(folded(f"{reason}: {len(names):,}{more}", table(shown)))
    return section("The data", table(rows[:60]), *lists[:20])


def _again(run: Mapping[str, Any]) -> str:
    """The command, and what it ran on."""
    command = run.get("command")
    shown = f"<pre><code>{text(command, 4000)}</code></pre>" if command else ""
    versions = {str(key): _plain(value) for key, value in _part(run, "versions").items()}
    commit = _part(run, "git").get("commit")
    if commit:
        versions["commit"] = f"{commit}{', with changes' if _part(run, 'git').get('changed') else ''}"
    return section("Make it again", shown, folded("Versions", table(versions)))


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one if there is none to be read."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _part(facts: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = facts.get(key)
    return value if isinstance(value, dict) else {}


def _plotted(data: bytes) -> Embedded:
    with Image.open(io.BytesIO(data)) as image:
        return plot(data, image.size)


def _scale(image: Embedded) -> str:
    """Small sheets are enlarged without blur."""
    return "wide small" if image.width < 500 else "wide"


def _number(value: object) -> float | None:
    """A finite number, else None."""
    real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if real else None  # type: ignore[arg-type]


def _count(value: object) -> str:
    number = _number(value)
    return f"{number:,.0f}" if number is not None else "–"


def _duration(value: object) -> str:
    """Seconds as a person says them: 42 s, 3 min 5 s, 2 h 10 min."""
    number = _number(value)
    if number is None:
        return "–"
    minutes, seconds = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{number:.1f} s" if number < 10 else f"{seconds} s"


def _plain(value: object) -> str:
    """A value of JSON as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return re.sub(r"e-0?", "e-", f"{value:g}")
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shortened(names: object, most: int = 12) -> str:
    if not isinstance(names, list):
        return ""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(str(name)[:60] for name in names[:most]) + more


def _name(entry: object) -> object:
    return entry.get("name", "?") if isinstance(entry, dict) else entry


def _detail(entry: object) -> object:
    return entry.get("detail", "") if isinstance(entry, dict) else ""
