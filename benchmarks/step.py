"""How long a DCGAN step takes: the chapter's loop as printed, and saddlepoint's, in turn in one process.

Both play the same networks (3,576,704 and 2,765,568 parameters) at 64x64 with the same batch. The baseline is the
PyTorch DCGAN tutorial's loop, which the chapter prints: float32, a sigmoid and BCELoss, three passes of the
discriminator with all its gradients, and four `.item()` calls a step. Steps of the two alternate, so that whatever
else the machine does falls on both; the ratios are of medians.

    python benchmarks/step.py            about five minutes on two cores
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from evidence import entry, publish
from torch import Tensor, nn

from saddlepoint import recipe
from saddlepoint.abilities import Samples
from saddlepoint.data.images import Images
from saddlepoint.loop import play_round
from saddlepoint.match import Match, opening
from saddlepoint.objectives import cross_entropy
from saddlepoint.plan import Plan
from saddlepoint.sentinel import Sentinel

Step = Callable[[], object]


class Pictures:
    """A source of random pictures: what they show does not change what a step costs."""

    def __init__(self, count: int, seed: int) -> None:
        self.pixels = np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8)

    def images(self, *, size: int, channels: int | None = None) -> Images:
        return Images.of(self.pixels)


def chapter(batch: int, device: str) -> Step:
    """The chapter's networks and one pass of its training loop."""
    generator = nn.Sequential(
        *_up(100, 512, 1, 0), *_up(512, 256, 2, 1), *_up(256, 128, 2, 1), *_up(128, 64, 2, 1),
        nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh(),
    ).to(device)  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        *_down(64, 128), *_down(128, 256), *_down(256, 512),
        nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
    ).to(device)  # fmt: skip
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    data = torch.rand(batch, 3, 64, 64) * 2 - 1

    def step() -> list[float]:
        discriminator.zero_grad()
        real = data.to(device)
        label = torch.full((batch,), 1.0, device=device)
        output = discriminator(real).view(-1)
        loss_real = criterion(output, label)
        loss_real.backward()
        seen = [output.mean().item()]
        fake = generator(torch.randn(batch, 100, 1, 1, device=device))
        label.fill_(0.0)
        output = discriminator(fake.detach()).view(-1)
        loss_fake = criterion(output, label)
        loss_fake.backward()
        seen.append(output.mean().item())
        optimizer_d.step()
        generator.zero_grad()
        label.fill_(1.0)
        output = discriminator(fake).view(-1)
        loss = criterion(output, label)
        loss.backward()
        seen.append(output.mean().item())
        optimizer_g.step()
        return [*seen, loss.item(), (loss_real + loss_fake).item()]

    return step


def _up(entry: int, exit: int, stride: int, padding: int) -> Iterator[nn.Module]:
    yield nn.ConvTranspose2d(entry, exit, 4, stride, padding, bias=False)
    yield nn.BatchNorm2d(exit)
    yield nn.ReLU(True)


def _down(entry: int, exit: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(entry, exit, 4, 2, 1, bias=False)
    yield nn.BatchNorm2d(exit)
    yield nn.LeakyReLU(0.2, inplace=True)


def match(plan: Plan, batch: int, seed: int) -> Match:
    """The recipe as the command plays it."""
    found = recipe.find("dcgan")
    return opening(found.stages(found.configure("tutorial", batch=batch), Pictures(4 * batch, seed)), plan)


def saddle(plan: Plan, batch: int, seed: int) -> Step:
    """One round of the recipe by the loop."""
    played = match(plan, batch, seed)
    sentinel = Sentinel(played)
    return lambda: play_round(played, sentinel)


def by_hand(plan: Plan, batch: int, seed: int) -> Step:
    """The same operations on the same networks, written out without game, loop, checks or log."""
    played = match(plan, batch, seed)
    game, stream = played.game, played.stage.data
    assert isinstance(game, Samples)
    discriminator = game.get_submodule("discriminator")
    sides = {name: (player.optimizer, player.params) for name, player in played.players.items()}
    state = {"drawn": 0}
    game.train()

    def step() -> None:
        real = plan.move(stream.read(state["drawn"], batch)).image
        state["drawn"] += batch
        with plan.autocast():
            fake = game.sample(batch)
            real_scores, fake_scores = discriminator(real), discriminator(fake.detach())
            ones, zeros = torch.ones(batch, device=real.device), torch.zeros(batch, device=real.device)
            loss = cross_entropy(real_scores, ones) + cross_entropy(fake_scores, zeros)
        _descend(loss, *sides["discriminator"])
        with plan.autocast():
            scores = discriminator(fake)
            loss = cross_entropy(scores, ones)
        _descend(loss, *sides["generator"])

    return step


def _descend(loss: Tensor, optimizer: torch.optim.Optimizer, params: list[nn.Parameter]) -> None:
    loss.backward(inputs=params)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def medians(steps: dict[str, Step], rounds: int, device: str) -> dict[str, float]:
    """Median seconds of a step of each, the steps taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 2):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if device == "cuda":
                torch.cuda.synchronize()
            if number >= 2:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def peak(make: Callable[[], Step], device: str) -> float:
    """Largest memory, in MB above what the process holds at rest, while three steps are built and played."""
    gc.collect()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        rest = torch.cuda.memory_allocated()
        _three(make())
        return (torch.cuda.max_memory_allocated() - rest) / 1e6
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # resets the high-water mark
    rest = _status("VmRSS")
    _three(make())
    return (_status("VmHWM") - rest) / 1e3


def _three(step: Step) -> None:
    for _ in range(3):
        step()


def _status(field: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def compare(plan: Plan, batch: int, rounds: int, seed: int) -> dict[str, float]:
    """Chapter against recipe in one precision."""
    device = plan.device
    makers = {"chapter": lambda: chapter(batch, device), "saddle": lambda: saddle(plan, batch, seed)}
    memory = {name: peak(make, device) for name, make in makers.items()}
    seconds = medians({name: make() for name, make in makers.items()}, rounds, device)
    return {
        "time_ratio": round(seconds["saddle"] / seconds["chapter"], 4),
        "memory_ratio": round(memory["saddle"] / memory["chapter"], 4),
        "chapter_ms": round(1e3 * seconds["chapter"], 1),
        "saddle_ms": round(1e3 * seconds["saddle"], 1),
        "saddle_images_per_second": round(batch / seconds["saddle"], 1),
    }


def overhead(plan: Plan, batch: int, rounds: int, seed: int) -> float:
    """What the loop adds to the same operations by hand, as a share of their time."""
    steps = {"loop": saddle(plan, batch, seed), "hand": by_hand(plan, batch, seed)}
    seconds = medians(steps, rounds, plan.device)
    return round(seconds["loop"] / seconds["hand"] - 1, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    cpu = Plan("cpu", "fp32", seed=given.seed).resolve()
    cpu.prepare()
    size = (given.batch, given.rounds, given.seed)
    figures: dict[str, object] = {
        "cpu": {
            "fp32": compare(cpu, *size),
            "bf16": compare(replace(cpu, precision="bf16"), *size),
            "loop_overhead": overhead(cpu, given.batch, 2 * given.rounds, given.seed),
            "threads": cpu.threads,
        },
        "gpu": "not measured on a GPU",
    }
    if torch.cuda.is_available():
        gpu = replace(cpu, device="cuda", precision="bf16", compile=True)
        gpu.prepare()
        figures["gpu"] = {"bf16": compare(gpu, *size), "sampling": sampling(gpu, given.seed)}
    publish("step", {"batch": given.batch, **figures}, seed=given.seed, as_json=given.json)


@torch.no_grad()
def sampling(plan: Plan, seed: int, batch: int = 1024) -> float:
    """Images per second that the generator makes."""
    game = match(plan, 128, seed).game.eval()
    assert isinstance(game, Samples)

    def step() -> None:
        with plan.autocast():
            game.sample(batch)

    return round(batch / medians({"sample": step}, 20, plan.device)["sample"], 0)


if __name__ == "__main__":
    entry(main)
