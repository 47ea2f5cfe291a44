"""Each finding on curves made to show it, and none on curves that do not."""

import re

import numpy as np
import pytest

from saddlepoint.pictures.curves import ENOUGH, explain

REAL, FAKE = "discriminator/D(x)", "discriminator/D(G(z))"
COST = "generator/adversarial"


def log(count=200, every=10, stage="adversarial", start=0, **names):
    """Records of `names`, each a function of the part of the run that is over, with a little noise."""
    random = np.random.default_rng(0)
    return [
        {
            "step": start + (index + 1) * every,
            "stage": stage,
            "values": {name: float(curve(index / count) + random.normal(0, 0.02)) for name, curve in names.items()},
        }
        for index in range(count)
    ]


def kinds(findings):
    return {finding.kind for finding in findings}


def text(findings, kind):
    return next(finding.text for finding in findings if finding.kind == kind)


def numbers(words):
    return [float(number) for number in re.findall(r"\d+\.\d+", words)]


def test_a_discriminator_that_wins_is_named_with_its_numbers():
    findings = explain(log(**{REAL: lambda u: 0.97, FAKE: lambda u: 0.03, COST: lambda u: 1 + 6 * u}))
    words = text(findings, "discriminator_wins")
    assert "D(x) averages 0.97" in words
    assert "D(G(z)) 0.03" in words
    assert f"{COST}, 3.2" in words  # 1 + 6 · 0.375 in the second quarter
    assert "6.2" in words
    assert {"balanced", "ahead", "generator_wins"}.isdisjoint(kinds(findings))
    assert next(finding for finding in findings if finding.kind == "discriminator_wins").alarming


def test_no_rise_is_claimed_where_the_generators_loss_is_level():
    findings = explain(log(**{REAL: lambda u: 0.97, FAKE: lambda u: 0.03, COST: lambda u: 4.0}))
    assert "rose" not in text(findings, "discriminator_wins")


@pytest.mark.parametrize(
    ("real", "fake", "kind"),
    [(0.55, 0.45, "balanced"), (0.8, 0.2, "ahead"), (0.7, 0.75, "generator_wins"), (0.85, 0.05, "ahead")],
)
def test_the_other_states_of_the_game(real, fake, kind):
    findings = explain(log(**{REAL: lambda u: real, FAKE: lambda u: fake}))
    assert kinds(findings) == {kind}
    assert f"{real:.2f}" in findings[0].text
    assert f"{fake:.2f}" in findings[0].text


def test_only_the_last_quarter_counts():
    findings = explain(log(**{REAL: lambda u: 0.98 if u < 0.7 else 0.5, FAKE: lambda u: 0.02 if u < 0.7 else 0.5}))
    assert kinds(findings) == {"balanced"}


def test_a_swing_is_found_with_its_period_and_height():
    findings = explain(log(400, **{COST: lambda u: 2 + np.sin(2 * np.pi * 20 * u)}))
    words = text(findings, "oscillation")
    assert "about every 200 steps" in words
    assert numbers(words)[:2] == pytest.approx([1, 3], abs=0.1)


@pytest.mark.parametrize("kind", ["white", "walk", "trend", "level", "smooth"])
def test_no_swing_is_seen_where_there_is_none(kind):
    wrong = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        white = random.normal(size=300)
        values = {
            "white": white,
            "walk": white.cumsum(),
            "trend": np.linspace(0, 9, 300) + white,
            "level": np.full(300, 1.5),
            "smooth": np.convolve(white, np.ones(9) / 9, "same"),
        }[kind]
        records = [{"step": index, "values": {"a/b": float(value)}} for index, value in enumerate(values)]
        wrong += "oscillation" in kinds(explain(records))
    assert wrong <= 3  # one in twenty


@pytest.mark.parametrize(
    ("curve", "kind"),
    [(lambda u: 1 + 2 * u, "rising"), (lambda u: 3 - 2 * u, "falling"), (lambda u: 1.4, "flat")],
)
def test_where_a_loss_is_going(curve, kind):
    findings = explain(log(**{COST: curve}))
    assert kinds(findings) == {kind}
    assert numbers(findings[0].text)[:2] == pytest.approx([curve(0.625), curve(0.875)], abs=0.05)


def test_noise_is_not_a_trend():
    wrong = 0
    for seed in range(60):
        values = 1 + np.random.default_rng(seed).normal(0, 0.5, 200)
        records = [{"step": index, "values": {"a/b": float(value)}} for index, value in enumerate(values)]
        wrong += kinds(explain(records)) != {"flat"}
    assert wrong <= 3


def test_values_that_are_not_finite_are_counted_and_the_first_is_named():
    records = log(**{COST: lambda u: 1.0, "discriminator/real": lambda u: 0.5})
    records[40]["values"][COST] = float("nan")
    records[30]["values"]["discriminator/real"] = "Infinity"
    words = text(explain(records), "non_finite")
    assert "2 logged values" in words
    assert "discriminator/real at step 310" in words


def test_a_curve_of_nothing_but_nan_says_just_that():
    findings = explain(log(**{COST: lambda u: float("nan")}))
    assert kinds(findings) == {"non_finite", "short"}


def test_events_are_told_once_a_kind():
    records = log(**{COST: lambda u: 1.0})
    records += [{"step": 300, "event": "rolled_back", "message": "NaN"}, {"step": 450, "event": "rolled_back"}]
    words = text(explain(records), "event")
    assert "rolled back" in words
    assert "2 times" in words
    assert "step 450" in words


def test_a_run_that_stopped_early_says_where():
    records = log(**{COST: lambda u: 1.0})
    assert "step 2,000 of 8,000, 25%" in text(explain(records, steps=8000), "stopped_early")
    assert "stopped_early" not in kinds(explain(records, steps=2000))
    assert "stopped_early" not in kinds(explain(records, steps=2015))  # the last steps fell between two records
    assert "stopped_early" not in kinds(explain(records))


@pytest.mark.parametrize("count", [1, 5, 11])
def test_few_records_say_nothing_about_trends(count):
    findings = explain(log(count, **{REAL: lambda u: 1.0, FAKE: lambda u: 0.0}))
    assert kinds(findings) == {"short"}
    assert f"Only {count} record" in findings[0].text


def test_an_empty_log_says_so():
    assert kinds(explain([])) == {"empty"}
    assert kinds(explain([{"step": 1, "event": "started"}])) == {"empty", "event"}


def test_several_stages_are_judged_by_the_last():
    first = log(**{REAL: lambda u: 0.98, FAKE: lambda u: 0.01})
    second = log(stage="fine", start=2000, **{REAL: lambda u: 0.5, FAKE: lambda u: 0.5})
    assert kinds(explain([*first, *second])) == {"balanced"}


def test_losses_of_any_game_are_read():
    findings = explain(log(**{"critic/wasserstein": lambda u: -5 * (1 - u), "critic/penalty": lambda u: 0.3, "x": abs}))
    assert "critic/wasserstein" in text(findings, "rising")
    assert "critic/penalty" in text(findings, "flat")


def diary(*events, looks=ENOUGH):
    seen = [{"step": step, "look": {"step": step}} for step in range(looks)]
    return [*log(**{REAL: lambda u: 0.97, FAKE: lambda u: 0.03}), *seen, *events]


def event(kind, step):
    return {"step": step, "event": kind, "message": "Seen thus. What helps: patience; or more data."}


def test_what_the_doctor_found_is_told_with_its_remedy_and_alarms_while_it_lasts():
    findings = explain(diary(event("mode_collapse", 400)))
    (found,) = [finding for finding in findings if finding.kind == "diagnosis"]
    assert found.text == "Mode collapse, found at step 400. Seen thus. What helps: patience; or more data."
    assert found.alarming
    assert {"event", "healthy"}.isdisjoint(kinds(findings))


def test_what_is_over_is_told_as_over():
    (found,) = [
        finding
        for finding in explain(diary(event("mode_collapse", 400), event("mode_collapse_over", 900)))
        if finding.kind in {"diagnosis", "recovered"}
    ]
    assert not found.alarming
    assert found.text.endswith("It was over at step 900.")


def test_scores_alone_do_not_contradict_a_doctor_who_saw_the_samples():
    findings = explain(diary())
    assert f"{ENOUGH} times" in text(findings, "healthy")
    assert not any(finding.alarming for finding in findings)
    assert "D(x) averages 0.97 and D(G(z)) 0.03" in text(findings, "ahead")


def test_a_run_that_was_hardly_looked_at_is_not_called_healthy():
    assert "healthy" not in kinds(explain(diary(looks=ENOUGH - 1)))
