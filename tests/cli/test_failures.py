"""What nobody foresaw, signals, and the ends of the command itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from saddlepoint import cli, recipe
from tests.cli.conftest import Call


def boom() -> None:
    raise ZeroDivisionError("seven by\nnothing")


def test_an_unforeseen_error_is_one_line_and_a_log(saddle: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "summaries", boom)
    answer = saddle("list")
    assert answer.code == 70
    lines = answer.err.splitlines()
    assert lines[0] == "error[internal]: ZeroDivisionError: seven by"
    assert len(lines) == 3
    found = re.search(r"the traceback is in (.+)", lines[1])
    assert found
    log = Path(found.group(1)).read_text()
    assert "Traceback" in log
    assert "in boom" in log


def test_a_read_only_home_puts_the_log_elsewhere(saddle: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(recipe, "summaries", boom)
    found = re.search(r"the traceback is in (.+)", saddle("list").err)
    assert found
    assert "ZeroDivisionError" in Path(found.group(1)).read_text()


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "summaries", boom)
    with pytest.raises(ZeroDivisionError):
        cli.run(["list", "--debug"])


def test_other_ranks_say_one_line(saddle: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    answer = saddle("sample", "nothing", "--json")
    assert answer.code == 66
    assert answer.err == "[rank 1] error[missing]: no run 'nothing'\n"
    assert answer.out == ""


def test_control_c_outside_a_training(saddle: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "summaries", interrupt)
    answer = saddle("list")
    assert (answer.code, answer.out) == (130, "")


def test_version_and_bare_calls(saddle: Call) -> None:
    version = saddle("--version")
    assert version.code == 0
    assert re.fullmatch(r"saddlepoint \d+\.\d+\.\d+\n", version.out)
    for line in ([], ["data"]):
        bare = saddle(*line)
        assert bare.code == 64
        assert "Usage" in bare.out
        assert "error" not in bare.err


def start(*line: str, module: bool = False) -> subprocess.CompletedProcess[str]:
    """The installed command, or the module that torchrun starts, in a process of its own."""
    command = [sys.executable, "-m", "saddlepoint.cli"] if module else [str(Path(sys.executable).with_name("saddle"))]
    environment = {key: value for key, value in os.environ.items() if key != "WORLD_SIZE"}
    return subprocess.run([*command, *line], capture_output=True, text=True, env=environment, check=False, timeout=120)


def test_the_installed_command_leaves_with_the_exit_code() -> None:
    done = start("train", "gan", "nowhere", "--batch", "abc")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith('error[usage]: --batch must be a whole number 1..65536, got "abc"\n')
    assert "Traceback" not in done.stderr


def test_devices_start_processes_and_pass_their_exit_code_on() -> None:
    done = start("train", "gan", "nowhere", "--size", "8", "--batch", "4", "--devices", "2", module=True)
    assert done.returncode == 66, done.stderr
    assert "error[missing]: data folder not found: nowhere\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_two_processes_train_one_run(pictures: Path, tmp_path: Path) -> None:
    line = ("--size", "8", "--hidden", "8", "--latent", "4", "--batch", "4", "--steps", "4", "--name", "pair", "--json")
    done = start("train", "gan", str(pictures), *line, "--devices", "2", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["run"], told["status"], told["step"]) == ("pair", "done", 4)
    assert cli.run(["sample", str(tmp_path / "pair"), "-n", "2"]) == 0
