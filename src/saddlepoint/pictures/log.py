"""Reading `log.jsonl`, the diary of a run, as it is: growing, cut off, or scribbled over."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Series(NamedTuple):
    """One logged value over the run: `steps` int64 (n,), strictly rising, and `values` float64 (n,), NaN included."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a log in file order; an empty list when there is no file.

    A process that is killed leaves half a line, and a disk can do worse; a line that is not a JSON object is left out,
    for a diary with a torn page is still worth reading.
    """
    if not path.is_file():
        return []
    records = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                records.append(record)
    return records


def measured(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that hold values, one a step, in the order of steps.

    A run that rolls back, or resumes from a checkpoint older than its log, plays steps a second time. What it played
    the second time is what its weights have learned from, so the first telling is dropped.
    """
    kept: list[dict[str, Any]] = []
    for record in records:
        step = record.get("step")
        if not isinstance(record.get("values"), dict) or not isinstance(step, int) or step < 0:
            continue
        while kept and kept[-1]["step"] >= step:
            kept.pop()
        kept.append(record)
    return kept


def series(records: Iterable[dict[str, Any]]) -> dict[str, Series]:
    """Every value of the log as an array over steps, by its name, in the order in which names first appear."""
    columns: dict[str, tuple[list[int], list[float]]] = {}
    for record in measured(records):
        for name, value in record["values"].items():
            steps, values = columns.setdefault(str(name), ([], []))
            number = _number(value)
            if number is not None:
                steps.append(record["step"])
                values.append(number)
    return {
        name: Series(np.array(steps, np.int64), np.array(values, np.float64))
        for name, (steps, values) in columns.items()
        if steps
    }


def scores(records: Iterable[dict[str, Any]]) -> dict[str, Series]:
    """Every score that was measured while the run trained, likewise."""
    marks = [{**record, "values": record["scores"]} for record in records if isinstance(record.get("scores"), dict)]
    return series(marks)


def _number(value: object) -> float | None:
    """A logged number; NaN for what JSON writers put in place of NaN and infinity; None for anything else."""
    if value is None or (isinstance(value, str) and value.lower().lstrip("+-") in {"nan", "inf", "infinity"}):
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
