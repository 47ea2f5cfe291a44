"""A run that is killed at any moment and resumed ends in the same bits as one that never was."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from faults import FATAL, play_and_count, play_and_die
from trials import LENGTH, SAVE_EVERY, Nursery, Outcome, exact, last_step, logged, play

KILLS = 20
SHORT = {"warm": 4, "steps": 8, "every": 3}  # a run of both stages that takes a tenth of a second


@pytest.fixture(scope="module")
def undisturbed(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The run without a kill, and nearly without a save: saving must not change a bit either."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    nursery.run(play, folder=str(folder), every=LENGTH)
    return Outcome.of(folder)


def test_random_kills_change_no_bit(nursery: Nursery, undisturbed: Outcome, tmp_path: Path) -> None:
    folder, dice = tmp_path / "run", random.Random(1)
    targets = sorted(dice.sample(range(LENGTH - 2 * SAVE_EVERY), KILLS))
    for number, target in enumerate(targets):
        child = nursery.start(play, folder=str(folder))
        if number % 4:
            wait_for(folder, target)
            time.sleep(dice.uniform(0.0, 0.1))
        else:
            time.sleep(dice.uniform(0.0, 0.15))  # while it starts: building, restoring
        child.signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, child.said()
    nursery.run(play, folder=str(folder))

    assert Outcome.of(folder).differing(undisturbed) == 0
    check_log(folder)


def wait_for(folder: Path, step: int) -> None:
    """Waits until the run has logged `step`."""
    end = time.monotonic() + 60
    while last_step(folder) < step:
        assert time.monotonic() < end, f"step {step} is not reached"
        time.sleep(0.002)


def check_log(folder: Path) -> None:
    """No step is missing, one played again has the same values, and no kill cost more than a save interval."""
    seen: dict[int, dict[str, str]] = {}
    before = 0
    for step, values in logged(folder):
        assert step <= before + 1, f"after step {before} came {step}"
        assert before - step < SAVE_EVERY, f"after step {before} the run went back to {step}"
        assert seen.setdefault(step, exact(values)) == exact(values), f"step {step} was not repeated exactly"
        before = step
    assert sorted(seen) == list(range(1, LENGTH + 1))


@pytest.mark.parametrize("fault", FATAL)
def test_dying_at_any_touch_of_the_disk_changes_no_bit(nursery: Nursery, tmp_path: Path, fault: str) -> None:
    nursery.run(play_and_count, report=str(tmp_path / "count"), folder=str(tmp_path / "whole"), **SHORT)
    whole, count = Outcome.of(tmp_path / "whole"), int((tmp_path / "count").read_text())
    for at in random.Random(fault).sample(range(1, count + 1), 12):
        folder = tmp_path / f"run-{at}"
        child = nursery.start(play_and_die, fault=fault, at=at, folder=str(folder), **SHORT)
        assert child.wait() == -signal.SIGKILL, child.said()
        nursery.run(play_and_count, report=str(tmp_path / "count"), folder=str(folder), **SHORT)
        found = Outcome.of(folder)
        # Lines of the log are not flushed one by one: a power cut may take some, and never the state.
        lost = whole.losses.keys() - found.losses.keys() if fault == "power cut" else set()
        expected = Outcome(whole.hash, {step: whole.losses[step] for step in whole.losses.keys() - lost})
        assert found.differing(expected) == 0, f"{fault} at touch {at} of {count}"


def test_a_loss_that_differs_in_the_last_bit_is_noticed(undisturbed: Outcome) -> None:
    losses = {step: dict(values) for step, values in undisturbed.losses.items()}
    value = float.fromhex(losses[300]["generator/adversarial"])
    losses[300]["generator/adversarial"] = (value + 1e-7).hex()
    assert Outcome(undisturbed.hash, losses).differing(undisturbed) == 1
    assert Outcome("", undisturbed.losses).differing(undisturbed) == 1
