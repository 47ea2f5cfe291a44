"""What the doctor finds, and what makes it say that something is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from saddlepoint.cli import doctor
from tests.cli.conftest import Call


def test_a_working_machine_is_fine(saddle: Call) -> None:
    answer = saddle("doctor", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["ok"]) == (0, True)
    names = {finding["name"] for finding in found["findings"]}
    assert {"python", "torch", "cpu", "bf16", "threads", "memory", "cache", "runs", "av", "mlxtend"} <= names
    assert "torch" in saddle("doctor").out


def test_a_place_that_cannot_be_written_is_broken(
    saddle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    finding = doctor.place("runs", tmp_path / "not" / "there", "--out FOLDER")
    assert finding.state == "broken"
    assert finding.detail.endswith("cannot be written: read-only file system")
    assert finding.fix == "--out FOLDER"
    assert saddle("doctor").code == 69


def test_little_space_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SPACE", 1e30)
    assert doctor.place("runs", tmp_path, "--out FOLDER").state == "note"


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OPTIONAL", {"no-such-package": ("the set stars", "saddle data get stars")})
    finding, _ = doctor.extras()
    assert (finding.state, finding.fix) == ("note", "saddle data get stars")


def test_the_weights_of_the_fid_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SADDLEPOINT_INCEPTION", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    finding = doctor.inception()
    assert finding.state == "note"
    assert "SADDLEPOINT_INCEPTION=FILE" in finding.fix
    left = tmp_path / "hub" / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"")
    assert str(left) in doctor.inception().detail
    monkeypatch.setenv("SADDLEPOINT_INCEPTION", str(tmp_path / "gone"))
    assert doctor.inception().state == "note"


def test_a_broken_package_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED", ("torch", "no_such_package"))
    states = {finding.name: finding.state for finding in doctor.packages()}
    assert states == {"python": "ok", "torch": "ok", "no_such_package": "broken"}


def test_a_run_is_looked_at_by_its_log(saddle: Call, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "ill"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"format": 1, "steps": 20}))
    lines: list[dict[str, object]] = [
        {"step": step, "stage": "a", "values": {"generator/adversarial": 1.0}, "look": {"step": step}}
        for step in range(1, 21)
    ]
    lines.append({"step": 20, "event": "mode_collapse", "message": "All alike. What helps: packing."})
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    answer = saddle("doctor", "ill", "--json")
    found = {finding["name"]: finding for finding in json.loads(answer.out)["findings"]}
    assert answer.code == 0
    assert found["diagnosis"]["state"] == "ill"
    assert found["diagnosis"]["detail"] == "Mode collapse, found at step 20. All alike. What helps: packing."
    assert saddle("doctor", "nobody").code == 66
