"""How a run executes, never what it computes: device, precision, threads, micro-batches."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .errors import UnavailableError, UsageError
from .game import Game

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of settings in malloc.h


@dataclass(frozen=True)
class Plan:
    """The execution of a run.

    Attributes:
        device: `auto` takes the GPU when there is one.
        precision: of the networks' arithmetic; weights, losses and penalties stay float32. `auto` takes bf16 where
            the device has instructions for it. fp16 is not offered: its narrow range cripples GAN training.
        accumulate: micro-batches per optimizer step on each rank.
        compile: compile each network with `torch.compile`.
        seed: of the weights, the noise and the order of the data.
        threads: of one operation on a CPU; part of the result's bits, so it is recorded. None takes the cores' number.
    """

    device: str = "auto"
    precision: str = "fp32"
    accumulate: int = 1
    compile: bool = False
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        for flag, word, known in (("device", self.device, DEVICES), ("precision", self.precision, PRECISIONS)):
            if word not in known:
                raise UsageError(f"--{flag} must be one of {', '.join(known)}, got {word!r}", where=f"--{flag}")
        for flag, value, low, high in (
            ("accumulate", self.accumulate, 1, 4096),
            ("seed", self.seed, 0, 2**32 - 1),
            ("threads", self.threads or 1, 1, 1024),
        ):
            if not low <= value <= high:
                raise UsageError(f"--{flag} must be a whole number {low}..{high}, got {value}", where=f"--{flag}")

    def resolve(self) -> Plan:
        """The same plan with a definite device, precision and thread count.

        Raises:
            UnavailableError: CUDA is asked for and there is none.
        """
        found = torch.cuda.is_available()
        if self.device == "cuda" and not found:
            raise UnavailableError(
                f"no CUDA device; torch {torch.__version__} finds none here", where="--device", fix="--device cpu"
            )
        device = ("cuda" if found else "cpu") if self.device == "auto" else self.device
        precision = ("bf16" if has_bf16(device) else "fp32") if self.precision == "auto" else self.precision
        return replace(self, device=device, precision=precision, threads=self.threads or cores())

    def prepare(self) -> None:
        """Applies the process-wide settings: threads and memory of a CPU, fast float32 kernels of a GPU."""
        if self.threads:
            torch.set_num_threads(self.threads)
        if self.device == "cpu":
            keep_freed_memory()
        if self.device == "cuda":
            torch.backends.cudnn.benchmark = True

    @property
    def torch_device(self) -> torch.device:
        """The device of this process; on several GPUs each rank has its own."""
        if self.device == "cuda":
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device(self.device)

    def place(self, game: Game) -> Game:
        """Moves a game to the device, its convolutions to channels-last, and compiles its networks if asked."""
        game.to(self.torch_device)
        for tensor in (*game.parameters(), *game.buffers()):
            if tensor.ndim == 4:
                tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
        if self.compile:
            for network in game.children():
                # Each network on its own: compilation does not cover the double backward of a penalty around it.
                network.compile()
        return game

    def move(self, batch: Any) -> Any:
        """A batch, or tuples and dicts of tensors, on the device."""
        device = self.torch_device
        if isinstance(batch, tuple) and hasattr(batch, "_fields"):  # a named tuple takes its parts one by one
            return type(batch)(*(self.move(part) for part in batch))
        if isinstance(batch, (tuple, list)):
            return type(batch)(self.move(part) for part in batch)
        if isinstance(batch, dict):
            return {key: self.move(part) for key, part in batch.items()}
        if isinstance(batch, Tensor):
            return batch.to(device, non_blocking=True)
        return batch.to(device) if hasattr(batch, "to") else batch

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """Runs the networks in the plan's precision."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            yield

    def facts(self) -> dict[str, Any]:
        """The plan as plain values, for run.json."""
        return asdict(self)


def has_bf16(device: str) -> bool:
    """Whether the device has instructions for bfloat16; without them it is many times slower than float32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return any(capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def capabilities() -> Mapping[str, Any]:
    """What the processor can do, by name; nothing where torch cannot tell."""
    return torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}


def cores() -> int:
    """Processor cores to use: what OMP_NUM_THREADS says, else all that this process may; macOS knows only how many."""
    wished = os.environ.get("OMP_NUM_THREADS", "")
    if wished.isascii() and wished.isdigit() and int(wished):
        return int(wished)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Lets this process keep the memory it frees, where its allocator is glibc's; elsewhere does nothing.

    Each step of a game asks for the same hundreds of megabytes as the last. glibc returns large blocks to the system
    at once, and the system clears every page anew before it lends them again: a twelfth of a step of the tutorial's
    DCGAN. The most that the process ever holds is hardly changed, and numbers are not. What the user has set in
    variables such as MALLOC_TRIM_THRESHOLD_ is left alone.
    """
    chosen = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if chosen or platform.libc_ver()[0] != "glibc":
        return
    configure = ctypes.CDLL(None).mallopt
    if not configure(_MMAP_THRESHOLD, 2**30):
        configure(_MMAP_THRESHOLD, 2**25)  # the most that older ones accept
    configure(_TRIM_THRESHOLD, 2**31 - 1)


def seed_everything(*numbers: int) -> None:
    """Seeds torch's default generators from a mix of `numbers`."""
    digest = hashlib.blake2b(",".join(map(str, numbers)).encode(), digest_size=8).digest()
    seed = int.from_bytes(digest, "little")
    # torch.manual_seed would also queue a call, with a stack trace, for a CUDA that is never started: in each step.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


class Dice:
    """Torch's default randomness, dealt so that each micro-batch of each step has a stream of its own.

    Each stream is a pure function of the run's seed and the place in the run. A resumed run needs no saved generator
    state, observers may draw what they like between steps, and two ranks draw what two micro-batches would.

    Args:
        place: what names the step: seed, stage, step, attempt.
        first: global index of this rank's first micro-batch.
        count: micro-batches of this rank.
    """

    def __init__(self, place: tuple[int, ...], first: int, count: int) -> None:
        self.place, self.first = place, first
        self.states: list[tuple[Tensor, Tensor | None] | None] = [None] * count

    @contextlib.contextmanager
    def hand(self, index: int) -> Iterator[None]:
        """Inside, torch draws from the stream of micro-batch `index`."""
        state = self.states[index]
        if state is None:
            seed_everything(*self.place, self.first + index)
        elif len(self.states) > 1:
            torch.set_rng_state(state[0])
            if state[1] is not None:
                torch.cuda.set_rng_state(state[1])
        yield
        # One micro-batch keeps the generator to itself: nothing to put aside.
        shared = len(self.states) > 1
        on_gpu = shared and torch.cuda.is_initialized()
        cpu = torch.get_rng_state() if shared else torch.empty(0)
        self.states[index] = (cpu, torch.cuda.get_rng_state() if on_gpu else None)
