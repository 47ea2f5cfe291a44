"""A frame of a camera, of which there is none here: what it is asked, and what is said when there is none."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from saddlepoint.data.camera import snapshot
from saddlepoint.data.loose import Loose
from saddlepoint.errors import MissingError, UnavailableError, UsageError


class FFmpegError(Exception):
    pass


class Frame:
    def __init__(self, value: int) -> None:
        self.value = value

    def to_ndarray(self, *, format: str) -> np.ndarray:
        assert format == "rgb24"
        return np.full((12, 16, 3), self.value, np.uint8)


def pretend(
    monkeypatch: pytest.MonkeyPatch, frames: int = 100, error: Exception | None = None
) -> list[tuple[str, str]]:
    """Puts a camera in the place of PyAV; returns what is opened."""
    opened: list[tuple[str, str]] = []

    @contextmanager
    def open(file: str, *, format: str) -> Any:
        opened.append((file, format))
        if error:
            raise error
        yield SimpleNamespace(decode=lambda video: (Frame(value) for value in range(frames)))

    monkeypatch.setitem(sys.modules, "av", SimpleNamespace(open=open, FFmpegError=FFmpegError))
    monkeypatch.setattr(sys, "platform", "linux")
    return opened


def test_the_tenth_frame_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = pretend(monkeypatch)
    assert int(snapshot("camera:1").max()) == 9
    assert opened == [("/dev/video1", "v4l2")]
    pretend(monkeypatch, frames=3)
    assert int(snapshot("camera:0").max()) == 2
    pretend(monkeypatch)
    pictures = Loose("camera:0", channels=1)
    assert pictures.single
    assert [(name, pixels.shape) for name, pixels in pictures] == [("camera-0", (12, 16, 1))]


def test_a_mac_has_another_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = pretend(monkeypatch)
    monkeypatch.setattr(sys, "platform", "darwin")
    snapshot("camera:0")
    assert opened == [("0", "avfoundation")]
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UnavailableError, match="not reached by number"):
        snapshot("camera:0")


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file"), FFmpegError("gone"), ValueError("no v4l2")])
def test_a_camera_that_fails_is_missing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    pretend(monkeypatch, error=error)
    with pytest.raises(MissingError, match=r"camera:7 cannot be opened: (No such file|gone|no v4l2)"):
        snapshot("camera:7")
    pretend(monkeypatch, frames=0)
    with pytest.raises(MissingError, match="gives no picture"):
        snapshot("camera:7")


def test_names_are_checked_and_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cameras have numbers"):
        snapshot("camera:front")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingError, match="cameras need PyAV") as caught:
        snapshot("camera:0")
    assert caught.value.fix == "pip install saddlepoint[video]"
