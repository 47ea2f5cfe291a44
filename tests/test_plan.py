"""How a run executes: what is refused, where things are put, and whose dice are whose."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.data.batches import Batch
from saddlepoint.errors import UnavailableError, UsageError
from saddlepoint.game import Game, Player, Turn
from saddlepoint.plan import Dice, Plan, seed_everything


class Networks(Game):
    """Weights of several ranks."""

    def __init__(self) -> None:
        super().__init__()
        self.flat, self.square, self.deep = nn.Linear(3, 2), nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3)
        self.register_buffer("pool", torch.arange(48.0).view(1, 3, 4, 4))

    def players(self) -> dict[str, Player]:
        return {}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        yield from ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "tpu"}, "--device must be one of auto, cpu, cuda, got 'tpu'"),
        ({"precision": "fp16"}, "--precision must be one of auto, fp32, bf16, got 'fp16'"),
        ({"accumulate": 0}, r"--accumulate must be a whole number 1\.\.4096, got 0"),
        ({"seed": -1}, r"--seed must be a whole number 0\.\.4294967295, got -1"),
        ({"seed": 2**32}, "--seed must be"),
        ({"threads": 2000}, r"--threads must be a whole number 1\.\.1024, got 2000"),
        ({"threads": -1}, "--threads must be"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Plan(**settings)
    assert caught.value.where == f"--{next(iter(settings))}"


def test_a_resolved_plan_is_definite() -> None:
    plan = Plan(seed=4).resolve()
    assert plan.device == ("cuda" if torch.cuda.is_available() else "cpu")
    assert plan.threads is not None
    assert plan.threads >= 1
    assert plan.resolve() == plan
    assert Plan(threads=3).resolve().threads == 3


@pytest.mark.parametrize(
    ("can", "taken"),
    [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"bf16": True}, "bf16"), ({"avx2": True}, "fp32")],
)
def test_auto_takes_the_precision_that_the_processor_has_instructions_for(
    can: dict[str, bool], taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert Plan(device="cpu", precision="auto").resolve().precision == taken
    assert Plan(device="cpu", precision="bf16").resolve().precision == "bf16"
    assert Plan(device="cpu").resolve().precision == "fp32"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_named() -> None:
    with pytest.raises(UnavailableError, match=r"no CUDA device; torch .* finds none here") as caught:
        Plan(device="cuda").resolve()
    assert caught.value.exit_code == 69


def test_facts_make_the_same_plan_again() -> None:
    plan = Plan(device="cpu", precision="bf16", accumulate=2, seed=7, threads=1)
    assert Plan(**plan.facts()) == plan


def test_networks_become_channels_last_where_they_can() -> None:
    game = Networks()
    before = {name: tensor.clone() for name, tensor in game.state_dict().items()}
    placed = Plan(device="cpu").place(game)
    assert placed is game
    assert game.square.weight.is_contiguous(memory_format=torch.channels_last)
    assert game.pool.is_contiguous(memory_format=torch.channels_last)
    assert game.deep.weight.is_contiguous()
    assert all(torch.equal(tensor, before[name]) for name, tensor in game.state_dict().items())


def test_optimizers_made_before_keep_their_parameters() -> None:
    game = Networks()
    weight = game.square.weight
    Plan(device="cpu").place(game)
    assert game.square.weight is weight


class Pair(NamedTuple):
    """A batch of a user's own."""

    left: Tensor
    right: Tensor


def test_batches_of_any_shape_are_moved() -> None:
    plan = Plan(device="cpu")
    tensor = torch.zeros(2, 3, 4, 4)
    assert plan.move(None) is None
    assert plan.move("word") == "word"
    assert plan.move((tensor, [tensor, 3])) == (tensor, [tensor, 3])
    assert plan.move({"a": tensor}) == {"a": tensor}
    batch = plan.move(Batch(tensor, torch.zeros(2, dtype=torch.int64)))
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert batch.label is not None
    assert isinstance(plan.move(Pair(tensor, tensor)), Pair)


def test_autocast_is_on_for_bfloat16_only() -> None:
    layer = nn.Linear(2, 2)
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with Plan(device="cpu", precision=precision).autocast():
            assert layer(torch.ones(1, 2)).dtype == dtype


# ----- Randomness -----


def throws(place: tuple[int, ...], first: int, count: int, rounds: int = 2) -> list[list[float]]:
    """What each micro-batch draws in some turns, when they take turns drawing."""
    dice = Dice(place, first, count)
    drawn: list[list[float]] = [[] for _ in range(count)]
    for _ in range(rounds):
        for index in range(count):
            with dice.hand(index):
                drawn[index].append(torch.rand(()).item())
    return drawn


def test_seeding_is_a_function_of_all_its_numbers() -> None:
    firsts = []
    for numbers in [(1, 2), (12,), (2, 1), (1, 2, 0)]:
        seed_everything(*numbers)
        firsts.append(torch.rand(()).item())
    assert len(set(firsts)) == 4
    seed_everything(1, 2)
    assert torch.rand(()).item() == firsts[0]


def test_a_micro_batch_draws_the_same_whoever_plays_the_others() -> None:
    together = throws((5, 0, 3, 0), first=0, count=4)
    for index in range(4):
        assert throws((5, 0, 3, 0), first=index, count=1) == [together[index]]
    assert throws((5, 0, 3, 0), first=2, count=2) == together[2:]


def test_no_two_places_share_their_dice() -> None:
    places = [
        (seed, stage, step, attempt) for seed in (0, 1) for stage in (0, 1) for step in (0, 1) for attempt in (0, 1)
    ]
    drawn = [value for place in places for stream in throws(place, 0, 2) for value in stream]
    assert len(set(drawn)) == len(drawn) == 64


def test_one_micro_batch_goes_on_where_it_stopped() -> None:
    (alone,) = throws((1, 2, 3, 0), first=0, count=1, rounds=3)
    assert throws((1, 2, 3, 0), first=0, count=2, rounds=3)[0] == alone


@pytest.mark.parametrize(("wished", "threads"), [("3", 3), ("", None), ("0", None), ("many", None)])
def test_the_environment_may_choose_the_threads(
    wished: str, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", wished)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert Plan("cpu").resolve().threads == (threads or available)
    assert Plan("cpu", threads=2).resolve().threads == 2


FAULTS = """
import resource, torch
from saddlepoint.plan import Plan

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(4_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
Plan("cpu").prepare()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are not asked to keep memory")
@pytest.mark.parametrize(("settings", "kept"), [({}, True), ({"MALLOC_TRIM_THRESHOLD_": "100000"}, False)])
def test_freed_memory_is_used_again_unless_the_user_chose_otherwise(settings, kept):
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    run = subprocess.run(
        [sys.executable, "-c", FAULTS], env={**bare, **settings}, capture_output=True, text=True, check=True
    )
    # 160 MB in all are 39,000 pages of 4 kB, and 80 where the system deals in pages of 2 MB.
    assert (int(run.stdout) < 20) is kept
