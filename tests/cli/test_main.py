"""The process of the command: what it sets before anything heavy is loaded."""

from __future__ import annotations

import os
import sys

import pytest

from saddlepoint.cli import main

SPIN, POLICY = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"


@pytest.mark.parametrize(
    ("given", "expected"), [({}, "1000"), ({SPIN: "7"}, "7"), ({POLICY: "active"}, None)], ids=["none", SPIN, POLICY]
)
def test_waiting_threads_sleep_soon_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str | None
) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in (SPIN, POLICY)} | given
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(sys, "argv", ["saddle", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert environment.get(SPIN) == expected
