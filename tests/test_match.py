"""Resuming is as if never stopped: every toy game, every stage, every number a checkpoint holds."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from saddlepoint.checkpoint import Saved, Store
from saddlepoint.errors import CheckpointError, Stopped
from saddlepoint.game import Player
from saddlepoint.loop import train
from saddlepoint.match import Match

from .toys import streams
from .toys.playing import PLAN, PowerCut, PowerCutError, ends, first, matches, of, session
from .toys.rings import Vanilla
from .toys.shelf import TOYS

TWO_STAGES = ["growth", "sprouting", "heads"]


def assert_same_end(ours: Path, theirs: Path) -> None:
    """Asserts that two runs ended every stage with the same bits."""
    one, other = ends(ours), ends(theirs)
    assert one.keys() == other.keys()
    for name, (tensors, facts) in one.items():
        assert facts == other[name][1], name
        assert tensors.keys() == other[name][0].keys()
        for group, values in tensors.items():
            assert values.keys() == other[name][0][group].keys()
            for key, value in values.items():
                assert torch.equal(value, other[name][0][group][key]), f"{name}: {group}: {key}"


@pytest.mark.parametrize("name", TOYS)
def test_a_run_cut_in_each_stage_ends_as_if_never_cut(name: str, tmp_path: Path) -> None:
    toy = TOYS[name]
    session(tmp_path / "whole", toy).play()
    # In the middle of a save interval, at a step that is about to be saved, and in the next stage if there is one.
    for attempt, cut in enumerate((3, 4, 5, 7) if name in TWO_STAGES else (3, 4)):
        with pytest.raises(PowerCutError):
            session(tmp_path / "cut", toy, cut=cut).play(resume=attempt > 0)
    session(tmp_path / "cut", toy).play(resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize("name", TWO_STAGES)
@pytest.mark.parametrize("moment", ["before the stage is closed", "after the stage is closed"])
def test_a_run_cut_between_two_stages_ends_as_if_never_cut(
    name: str, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = TOYS[name]
    session(tmp_path / "whole", toy).play()
    finish = Store.finish

    def power_cut(store: Store, stage: str) -> None:
        if moment.startswith("after"):
            finish(store, stage)
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(Store, "finish", power_cut)
        with pytest.raises(PowerCutError):
            session(tmp_path / "cut", toy).play()
    session(tmp_path / "cut", toy).play(resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


def test_a_run_that_is_asked_to_stop_ends_as_if_never_stopped(tmp_path: Path) -> None:
    toy = TOYS["heads"]
    session(tmp_path / "whole", toy).play()
    while True:
        try:
            # Every process stops after one round, and says where.
            session(tmp_path / "cut", toy, every=100, stopper=lambda: True).play(resume=(tmp_path / "cut").exists())
        except Stopped:
            continue
        break
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize("name", TWO_STAGES)
def test_a_finished_stage_is_not_played_again(name: str, tmp_path: Path) -> None:
    with pytest.raises(PowerCutError):
        session(tmp_path, TOYS[name], cut=7).play()
    # The power would fail in the first stage, if it were played.
    session(tmp_path, TOYS[name], cut=2).play(resume=True)


def test_no_two_rounds_share_their_dice() -> None:
    places = []
    for match in matches(TOYS["heads"]):
        while match.step < 4:
            places.append(match.place)
            match.step += 1
    assert len(set(places)) == len(places) == 8


def test_resuming_a_finished_run_plays_nothing(tmp_path: Path) -> None:
    session(tmp_path, TOYS["heads"]).play()
    before = ends(tmp_path)
    match = session(tmp_path, TOYS["heads"]).play(resume=True)
    assert match.step == 4
    assert {name: facts for name, (_, facts) in ends(tmp_path).items()} == {name: f for name, (_, f) in before.items()}


def test_schedules_are_not_applied_twice_after_a_resume(tmp_path: Path) -> None:
    store = Store(tmp_path)
    match = first("cycle", steps=8)
    with pytest.raises(PowerCutError):
        train(match, observers=[PowerCut(7)], store=store, checkpoint_every=6)
    again = first("cycle", steps=8)
    again.restore(store.newest())
    rates = []
    optimizer = again.players["generators"].optimizer
    optimizer.register_step_pre_hook(lambda *ignored: rates.append(optimizer.param_groups[0]["lr"]))
    train(again)
    assert rates == pytest.approx([5e-3, 2.5e-3])


def test_a_checkpoint_of_another_stage_or_game_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    train(first("heads"), store=store)
    with pytest.raises(CheckpointError, match="the checkpoint is of stage 'learn', not 'alone'"):
        first("vanilla").restore(store.newest())
    train(first("vanilla"), store=(other := Store(tmp_path / "other")))
    with pytest.raises(CheckpointError, match="the checkpoint does not fit this game"):
        first("text").restore(other.newest())


def test_the_players_of_a_checkpoint_must_be_the_games(tmp_path: Path) -> None:
    class Renamed(Vanilla):
        def players(self) -> dict[str, Player]:
            players = super().players()
            return {"critic": players["discriminator"], "generator": players["generator"]}

    train(first("vanilla"), store=(store := Store(tmp_path)))
    with pytest.raises(CheckpointError, match="'critic'"):
        of(Renamed(), streams.ring(8)).restore(store.newest())


# ----- Nothing in a checkpoint is for show -----


@dataclasses.dataclass(frozen=True)
class Known:
    """A checkpoint and what comes of it."""

    saved: Saved
    outcome: list[Any]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Known]:
    """The game with every kind of state, saved in the middle and at the end."""
    found = {}
    for when, cut in (("middle", 4), ("end", None)):
        store = Store(tmp_path_factory.mktemp(when))
        match = first("everything", steps=6)
        with contextlib.suppress(PowerCutError):
            train(match, store=store, checkpoint_every=3, observers=[] if cut is None else [PowerCut(cut)])
        found[when] = Known(store.newest(), outcome(store.newest()))
    assert [known.saved.facts["step"] for known in found.values()] == [3, 6]
    return found


def outcome(saved: Saved) -> list[Any]:
    """Everything that a match resumed from `saved` ends with, or the error that prevents it."""
    match = first("everything", steps=6)
    try:
        match.restore(saved)
        train(match)
    except (CheckpointError, KeyError) as error:
        return [type(error)]
    with match.averages.applied():
        sample = match.game.generator(torch.ones(2, 4))
    tensors, facts = match.state()
    return [facts, sample.tolist(), *({key: t.tolist() for key, t in tensors[group].items()} for group in tensors)]


TENSORS = sorted(
    (group, key) for group, tensors in first("everything").state()[0].items() for key in tensors if group != "players"
)
MOMENTS = [
    ("players", f"{player}/{index}/{field}")
    for player, parameters in (("discriminator", 4), ("generator", 6))
    for index in range(parameters)
    for field in ("step", "exp_avg", "exp_avg_sq")
]
FACTS = [
    ("stage",),
    ("step",),
    ("drawn",),
    ("players",),
    ("players", "discriminator"),
    ("players", "discriminator", "groups"),
    ("players", "generator", "groups"),
]


def test_the_list_of_what_is_mutated_is_whole(checkpoints: dict[str, Known]) -> None:
    saved = checkpoints["middle"].saved
    assert {(group, key) for group, tensors in saved.tensors.items() for key in tensors} == {*TENSORS, *MOMENTS}
    assert set(saved.facts) == {path[0] for path in FACTS}
    for known in checkpoints.values():
        assert outcome(known.saved) == known.outcome


@pytest.mark.parametrize(("group", "key"), [*TENSORS, *MOMENTS])
@pytest.mark.parametrize("fate", ["dropped", "reset"])
def test_no_tensor_of_a_checkpoint_can_be_missed(
    group: str, key: str, fate: str, checkpoints: dict[str, Known]
) -> None:
    killed = []
    for known in checkpoints.values():
        values = dict(known.saved.tensors[group])
        value = values.pop(key)
        if fate == "reset":
            values[key] = as_at_the_start(group, key, value)
        broken = dataclasses.replace(known.saved, tensors={**known.saved.tensors, group: values})
        killed.append(outcome(broken) != known.outcome)
    # The buffers of an average are copied anew after each step: only a finished stage shows that they were lost.
    assert any(killed)


@pytest.mark.parametrize("path", FACTS, ids="/".join)
@pytest.mark.parametrize("fate", ["dropped", "reset"])
def test_no_fact_of_a_checkpoint_can_be_missed(path: tuple[str, ...], fate: str, checkpoints: dict[str, Known]) -> None:
    known = checkpoints["middle"]
    facts = copy.deepcopy(known.saved.facts)
    place = facts
    for key in path[:-1]:
        place = place[key]
    value = place.pop(path[-1])
    if fate == "reset":
        place[path[-1]] = type(value)()
    assert outcome(dataclasses.replace(known.saved, facts=facts)) != known.outcome


def as_at_the_start(group: str, key: str, value: Tensor) -> Tensor:
    """What a match that was never restored has in that place."""
    tensors, _ = first("everything").state()
    return tensors[group][key] if group in tensors and key in tensors[group] else torch.zeros_like(value)


def test_saving_inside_the_averages_would_not_be_the_state() -> None:
    match: Match = first("everything", PLAN)
    train(match)
    raw = match.state()[0]["game"]["generator.0.weight"].clone()
    with match.averages.applied():
        assert not torch.equal(match.state()[0]["game"]["generator.0.weight"], raw)
    assert torch.equal(match.state()[0]["game"]["generator.0.weight"], raw)
