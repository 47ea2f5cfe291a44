"""What is told of a training, from made-up looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from saddlepoint.conditions import CONDITIONS, Look
from saddlepoint.diagnosis import FEWEST, Chart, Finding, improving, read_looks

STEPS = 1000
WELL = Look(
    0,
    slope=0.5,
    weights=10.0,
    separation=0.7,
    scale=1.0,
    diversity=1.0,
    coverage=0.95,
    strays=0.1,
    distance=0.05,
    nearest=1.0,
    spread=1.0,
    place=(0.0, 0.0),
    variety=1.0,
)
BAD = {"distance": 0.9, "coverage": 0.1}
ILL: dict[str, dict[str, object]] = {
    "divergence": {"spread": 50.0, **BAD},
    "mode_collapse": {"diversity": 0.02, **BAD},
    "class_collapse": {"variety": 0.1},
    "partial_collapse": {"coverage": 0.4},
    "vanishing_gradient": {"slope": 1e-5, "separation": 0.97, **BAD},
    "discriminator_won": {"separation": 1.0, **BAD},
    "discriminator_lost": {"separation": 0.3, **BAD},
    "memorization": {"nearest": 0.2},
}


def looks(change: Callable[[int], dict[str, object]], *, every: int = 20, last: int = STEPS) -> list[Look]:
    """A look every 20 steps: healthy but for what `change` says of a step."""
    return [replace(WELL, step=step, **change(step)) for step in range(0, last + 1, every)]  # type: ignore[arg-type]


def found(history: list[Look], steps: int = STEPS) -> list[Finding]:
    chart = Chart(steps)
    return [finding for look in history for finding in chart.add(look)]


def test_of_a_healthy_run_nothing_is_said() -> None:
    assert found(looks(lambda step: {})) == []


@pytest.mark.parametrize("name", ILL)
def test_each_condition_is_told_once_and_once_that_it_is_over(name: str) -> None:
    told = found(looks(lambda step: ILL[name] if step < 500 else {}))
    assert [finding.event for finding in told if finding.condition.name == name] == [name, f"{name}_over"]
    assert "What helps:" in told[0].text


def test_of_a_game_whose_classes_have_collapsed_no_more_is_said_of_what_it_leaves_out() -> None:
    told = found(looks(lambda step: {"variety": 0.1, "coverage": 0.4}))
    assert [finding.event for finding in told] == ["class_collapse"]
    assert "10% as different" in told[0].text


def test_every_condition_but_the_swing_has_its_case_above() -> None:
    assert {condition.name for condition in CONDITIONS} == {*ILL, "oscillation"}


def test_a_swing_is_told_and_a_way_that_leads_somewhere_is_not() -> None:
    swing = found(looks(lambda step: {**BAD, "place": ((-1.0) ** (step // 20), 0.0)}))
    walk = found(looks(lambda step: {**BAD, "place": (step / 20.0, 0.0)}))
    assert "oscillation" in {finding.condition.name for finding in swing}
    assert "oscillation" not in {finding.condition.name for finding in walk}


def test_a_symptom_that_does_not_last_is_not_told() -> None:
    assert found(looks(lambda step: ILL["mode_collapse"] if step < 250 else {})) == []
    # One look in twenty that is better changes nothing.
    told = found(looks(lambda step: {} if step % 400 == 0 else ILL["mode_collapse"]))
    assert "mode_collapse" in {finding.condition.name for finding in told}


def test_nothing_is_held_against_a_run_that_gets_better() -> None:
    worse = looks(lambda step: {**ILL["discriminator_won"], "distance": 0.9})
    better = looks(lambda step: {**ILL["discriminator_won"], "distance": 2.0 * 0.5 ** (step / 150)})
    assert {finding.condition.name for finding in found(worse)} >= {"discriminator_won"}
    assert "discriminator_won" not in {finding.condition.name for finding in found(better)}
    assert improving(better, ["distance"])
    assert not improving(better, ["coverage", "diversity"])
    assert not improving(worse, ["distance", "coverage", "diversity"])


def test_a_point_that_wanders_closer_to_the_data_has_collapsed_none_the_less() -> None:
    told = found(looks(lambda step: {**ILL["mode_collapse"], "distance": 2.0 * 0.5 ** (step / 150)}))
    assert [finding.event for finding in told] == ["mode_collapse"]


def test_hopping_about_and_flying_apart_are_no_progress() -> None:
    bad = {"coverage": 0.1, "distance": 0.9}
    # Mostly near each other, later mostly far: more of it would look like a rise.
    hopping = looks(lambda step: {**bad, "diversity": 0.9 if step // 20 % 4 > (2 if step < 500 else 0) else 0.05})
    apart = looks(lambda step: {**bad, "diversity": 1.0 + step / 100})
    rising = looks(lambda step: {**bad, "diversity": step / 1000})
    assert not improving([*apart[:5], *(Look(step) for step in range(5))], ["diversity"])
    assert [improving(history, ["diversity"]) for history in (hopping, apart, rising)] == [False, False, True]


def test_a_cost_that_is_flat_since_every_sample_pleases_is_not_called_vanishing() -> None:
    told = found(looks(lambda step: {**ILL["discriminator_lost"], "slope": 1e-5}))
    assert {finding.event for finding in told} == {"partial_collapse", "discriminator_lost"}


def test_nothing_is_said_before_enough_looks() -> None:
    few = looks(lambda step: ILL["divergence"], every=10, last=10 * (FEWEST - 1))
    assert found(few) == []
    assert found([*few, replace(few[-1], step=10 * FEWEST)])[0].condition.name == "divergence"


def test_a_score_without_a_scale_is_judged_by_its_growth() -> None:
    steady = found(looks(lambda step: {"scale": 5000.0}))
    growing = found(looks(lambda step: {"scale": 0.1 * 1.5 ** (step / 20)}))
    assert steady == []
    assert growing[0].condition.name == "divergence"


def test_samples_that_are_no_numbers_are_a_divergence() -> None:
    told = found([*looks(lambda step: {}, last=100), *(Look(step, finite=False) for step in range(120, 300, 20))])
    assert [finding.event for finding in told] == ["divergence"]


def test_a_game_that_cannot_judge_is_judged_by_its_samples() -> None:
    told = found(looks(lambda step: {**ILL["mode_collapse"], "separation": None, "scale": None, "slope": None}))
    assert [finding.event for finding in told] == ["mode_collapse"]


def test_a_roll_back_takes_looks_back() -> None:
    chart = Chart(STEPS)
    for look in looks(lambda step: {}, last=400):
        chart.add(look)
    chart.add(replace(WELL, step=100))
    assert [look.step for look in chart.looks] == [0, 20, 40, 60, 80, 100]


def test_looks_are_read_back_from_a_log_and_other_lines_passed_over() -> None:
    history = looks(lambda step: {})
    records = [
        {"step": look.step, "stage": "a", "look": {**asdict(look), "place": [0.0, 0.0], "newer": 1}} for look in history
    ]
    torn = [{"stage": "a", "look": {"step": "x"}}, {"stage": "b", "look": asdict(WELL)}, {"stage": "a", "look": 3}, {}]
    scribbled = {"stage": "a", "look": {"step": 3, "diversity": "x"}}
    assert read_looks([scribbled], "a") == [Look(3)]
    assert read_looks([*torn, *records], "a") == [replace(look, place=[0.0, 0.0]) for look in history]  # type: ignore[arg-type]
