"""An evaluation on disk and as a page: every score with its interval, its counts, and how it was made."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from .atomic import replacing, write_record
from .embed import plot
from .page import facts_list, figure, grid, page, paragraph, section, table, text

FOLDER, RECORD, PAGE = "evaluation", "evaluation.json", "evaluation.html"
HEAD = ("score", "value", "95 % interval", "better", "data get", "against", "generated", "real")


def write_evaluation(
    folder: Path, facts: Mapping[str, Any], sheets: Sequence[tuple[str, str, Image.Image]] = ()
) -> Path:
    """Writes `evaluation.json` and `evaluation.html` into a folder, anew each time.

    Args:
        folder: of the evaluation, made if need be.
        facts: of `Evaluation.facts()`.
        sheets: pictures as (title, caption, picture).

    Returns:
        The page.

    Raises:
        DiskError: the folder cannot be written to.
    """
    write_record(folder / RECORD, facts)
    notes = [f"{score['name']}: {score['note']}" for score in facts["scores"] if score["note"]]
    notes += [f"{name}: left out: {why}" for name, why in facts["skipped"].items()]
    parts = [
        _head(facts),
        section("Scores", grid(HEAD, score_rows(facts["scores"])), *(paragraph(note, "note") for note in notes)),
        *(_by_class(against, found) for against, found in facts.get("by_class", {}).items()),
        *(_sheet(*sheet) for sheet in sheets),
        section("How it was measured", table({key: _plain(value) for key, value in facts["how"].items()})),
        "<footer>Written by saddlepoint. This page holds all that it shows and asks the network for nothing.</footer>",
    ]
    path = folder / PAGE
    with replacing(path) as draft:
        draft.write_bytes(page(f"{facts['what']} · saddlepoint", "\n".join(part for part in parts if part)))
    return path


def read_evaluation(run: Path) -> dict[str, Any]:
    """The newest evaluation of a run's folder; an empty one where there is none that can be read."""
    try:
        facts = json.loads((run / FOLDER / RECORD).read_bytes())
        return facts if isinstance(facts["scores"], list) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def score_rows(scores: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Scores as rows under `HEAD`, as a person reads them."""
    return [
        [
            str(score["name"]),
            number(score["value"]),
            "" if score["low"] is None else f"{number(score['low'])} … {number(score['high'])}",
            str(score["better"]),
            "" if score["data"] is None else number(score["data"]),
            str(score["against"]),
            f"{score['generated']:,}",
            f"{score['real']:,}" if score["real"] else "",
        ]
        for score in scores
    ]


def class_rows(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """Scores of each class under their names, the head first: counts, then values."""
    names = list(dict.fromkeys(score["name"] for scores in found.values() for score in scores))
    rows = [["class", *names, "generated", "real"]]
    for name, scores in found.items():
        values = {score["name"]: score["value"] for score in scores}
        counts = [f"{scores[0][side]:,}" for side in ("generated", "real")]
        rows.append([str(name), *(number(values.get(score)) for score in names), *counts])
    return rows


def class_notes(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """What has to be known of the scores of classes, by score; of one that warns in many classes the first warning."""
    notes = [(score["name"], score["note"]) for scores in found.values() for score in scores if score["note"]]
    return dict(reversed(notes))


def number(value: float | None) -> str:
    """A score with four digits that count, or all that stand before the point."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _by_class(against: str, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    head, *rows = class_rows(found)
    notes = [f"{name}: {note}" for name, note in class_notes(found).items()]
    return section(f"By class, against {against}", grid(head, rows), *(paragraph(note, "note") for note in notes))


def _head(facts: Mapping[str, Any]) -> str:
    first = facts["scores"][:4]
    shown = facts_list((score["name"], number(score["value"]), "") for score in first)
    words = paragraph(f"against {', '.join(facts['against'])}", "lead")
    return f'<header>\n<p class="kicker">saddlepoint</p>\n<h1>{text(facts["what"])}</h1>\n{words}\n{shown}</header>'


def _sheet(title: str, caption: str, picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "WEBP", quality=88, method=4)
    return section(title, figure(plot(file.getvalue(), picture.size).tag(title), caption))


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
    return "–" if value is None else str(value)
