"""Reading the diary of a run: torn pages are left out, the second telling of a step counts."""

import json
import math

import numpy as np
import pytest

from saddlepoint.pictures.log import measured, read_log, series


def record(step, **values):
    return {"step": step, "stage": "adversarial", "values": {f"generator/{name}": v for name, v in values.items()}}


def test_broken_lines_are_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [json.dumps(record(1, a=1.0)), "", "[1, 2]", "7", "not json", "[" * 100_000, json.dumps(record(2, a=2.0))]
    path.write_bytes("\n".join(lines).encode() + b'\n\xff\xfe\x00\n{"step": 3, "values": {"gen')
    assert [entry["step"] for entry in read_log(path)] == [1, 2]


def test_no_log_is_an_empty_log(tmp_path):
    assert read_log(tmp_path / "log.jsonl") == []
    assert series([]) == {}


def test_a_step_played_again_replaces_what_was_rolled_back():
    records = [record(1, a=1.0), record(2, a=2.0), record(3, a=3.0), record(2, a=20.0), record(5, a=5.0)]
    assert [entry["step"] for entry in measured(records)] == [1, 2, 5]
    assert series(records)["generator/a"].values.tolist() == [1.0, 20.0, 5.0]


def test_events_and_records_without_a_step_hold_no_values():
    records = [
        {"step": 1, "event": "rolled_back"},
        {"values": {"a": 1}},
        {"step": "2", "values": {"a": 1}},
        {"step": 3},
    ]
    assert measured([*records, {"step": -1, "values": {}}]) == []


@pytest.mark.parametrize("value", [None, "NaN", "-Infinity", "inf", float("nan")])
def test_what_json_writers_make_of_nan_is_nan(value):
    values = series([record(1, a=0.5), record(2, a=value)])["generator/a"].values
    assert values[0] == 0.5
    assert math.isnan(values[1])


@pytest.mark.parametrize("value", ["high", [1], {}, True])
def test_what_is_no_number_is_no_value(value):
    assert series([record(1, a=value)]) == {}


def test_values_that_come_and_go_keep_their_own_steps():
    curves = series([record(1, a=1.0), record(2, a=2.0, b=0.5), record(3, b=10**400)])
    assert curves["generator/a"].steps.tolist() == [1, 2]
    assert curves["generator/b"].steps.tolist() == [2, 3]
    assert np.isposinf(curves["generator/b"].values[1])
