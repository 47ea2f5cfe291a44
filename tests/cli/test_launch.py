"""When further processes are started, and when that cannot work."""

from __future__ import annotations

import pytest

from saddlepoint.cli import launch
from saddlepoint.errors import UnavailableError, UsageError


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)


def test_one_process_needs_no_launch() -> None:
    assert not launch.needed(1, "cpu", 7)
    assert launch.needed(2, "cpu", 8)
    assert launch.needed(2, None)


def test_a_started_process_starts_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not launch.needed(2, "cpu", 8)
    assert not launch.needed(1, "cpu", 8)
    with pytest.raises(UsageError, match="--devices 3, but torchrun started 2 processes"):
        launch.needed(3, "cpu")


@pytest.mark.parametrize(
    ("batch", "devices", "fix"),
    [(7, 2, "--batch 6 or --batch 8"), (2, 3, "--batch 3"), (10, 4, "--batch 8 or --batch 12")],
)
def test_a_batch_must_divide(batch: int, devices: int, fix: str) -> None:
    with pytest.raises(UsageError, match=f"batch {batch} does not divide by {devices} processes") as caught:
        launch.needed(devices, "cpu", batch)
    assert caught.value.fix == fix


def test_more_gpus_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(UnavailableError, match="4 GPUs asked, 1 found"):
        launch.needed(4, "cuda")
