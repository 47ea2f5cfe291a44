"""A run's folder: facts, log, names, and what is said when something is wrong with them."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from saddlepoint.errors import DataError, DiskError, LockedError, MissingError, UsageError
from saddlepoint.pictures.log import read_log
from saddlepoint.run import Run, create, find, require_space


def begun(folder: Path, **facts: Any) -> Run:
    """A run that has written its first facts."""
    folder.mkdir(parents=True)
    Run(folder).note(**facts)
    return Run(folder)


def test_facts_are_what_was_noted_last(tmp_path: Path) -> None:
    one = begun(tmp_path / "x", status="running", step=0)
    one.note(step=7, classes=["日本語"])
    assert one.facts() == {"format": 1, "name": "x", "status": "running", "step": 7, "classes": ["日本語"]}
    assert [path.name for path in one.folder.iterdir()] == ["run.json"]


def test_facts_that_cannot_be_written_leave_the_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = begun(tmp_path / "x", step=1)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskError, match=r"run\.json could not be written: No space left on device"):
        one.note(step=2)
    assert one.facts()["step"] == 1
    assert [path.name for path in one.folder.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", '{"name": "x"}', '{"format": "one"}', "[" * 100_000, "\udcff"]
)
def test_damaged_facts_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=r"run\.json is damaged") as caught:
        Run(tmp_path).facts()
    assert caught.value.exit_code == 65


def test_facts_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"format": 2}')
    with pytest.raises(DataError, match=r"made by a newer saddlepoint \(format 2\); this one reads up to 1"):
        Run(tmp_path).facts()


def test_a_folder_without_facts_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"is not a run: it has no run\.json") as caught:
        Run(tmp_path).facts()
    assert caught.value.exit_code == 66


def test_half_a_line_costs_that_line_only(tmp_path: Path) -> None:
    one = Run(tmp_path)
    one.append({"step": 1, "stage": "main"})
    with open(tmp_path / "log.jsonl", "ab") as file:
        file.write(b'{"step": 2, "sta')
    one.append({"step": 3, "stage": "main"})
    with open(tmp_path / "log.jsonl", "ab") as file:
        file.write(b"\xff\xfe\n3\n[]\n{}\n" + b"[" * 100_000 + b"\n")
    one.append({"step": 4, "stage": "main"})
    assert [record["step"] for record in read_log(tmp_path / "log.jsonl") if record] == [1, 3, 4]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", full)
        Run(tmp_path).append({"step": 1, "stage": "main"})
    assert read_log(tmp_path / "log.jsonl") == []


def test_a_new_run_takes_the_next_number(tmp_path: Path) -> None:
    assert create(tmp_path, None, "gan-a/b c").folder == tmp_path / "gan-a-b-c-1"
    (tmp_path / "gan-x-1").mkdir()
    assert create(tmp_path, None, "gan-x").folder == tmp_path / "gan-x-2"
    assert len(create(tmp_path, None, "x" * 300).folder.name) <= 64
    assert create(tmp_path, "mine", "gan").folder == tmp_path / "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["gan-x-1"], "only the path is chosen"


@pytest.mark.parametrize(
    "name", ["../../etc", "a/b", "", ".", "..", ".hidden", "x" * 65, "a b", "x\n", "-rf", "end.", "\0"]
)
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        create(tmp_path, name, "gan")
    assert caught.value.exit_code == 64
    assert caught.value.what == f"run name may hold letters, digits, -_. (1–64), got {name!r}"


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    begun(tmp_path / "mine")
    with pytest.raises(LockedError, match="the run mine exists already") as caught:
        create(tmp_path, "mine", "gan")
    assert "saddle resume mine" in str(caught.value.fix)


def test_a_run_is_found_by_path_name_and_last(tmp_path: Path) -> None:
    begun(tmp_path / "b", started="2026-01-01T00:00:00+00:00")
    begun(tmp_path / "a", started="2026-02-01T00:00:00+00:00")
    begun(tmp_path / "broken")
    (tmp_path / "broken" / "run.json").write_text("{")
    assert find(str(tmp_path / "b"), tmp_path).folder == tmp_path / "b"
    assert find("b", tmp_path).folder == tmp_path / "b"
    assert find("last", tmp_path).folder == tmp_path / "a"


def test_a_run_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        find("last", tmp_path)
    assert caught.value.exit_code == 66
    for name in ("one", "two", "three"):
        begun(tmp_path / name)
    with pytest.raises(MissingError, match="no run 'four'") as caught:
        find("four", tmp_path)
    assert caught.value.fix == f"there are in {tmp_path}/: one, three, two"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LockedError, match=r"cannot write to .*: not a directory") as caught,
        Run(tmp_path / "file" / "x").owned(),
    ):
        pytest.fail("owned")
    assert caught.value.exit_code == 73
    assert caught.value.fix == "--out DIR"


def test_an_owner_clears_what_an_interrupted_save_left(tmp_path: Path) -> None:
    left = tmp_path / "checkpoints" / ".saving-000007"
    left.mkdir(parents=True)
    (left / "game.safetensors").write_bytes(b"half")
    with Run(tmp_path).owned():
        assert not left.exists()


def test_too_small_a_disk_is_refused_before_the_start(tmp_path: Path) -> None:
    require_space(tmp_path, 1)
    with pytest.raises(
        DiskError, match=r"the run needs about 1,000,000,000 MB for its checkpoints, [\d,]+ MB free"
    ) as caught:
        require_space(tmp_path, 10**15)
    assert caught.value.exit_code == 74
