"""Several processes playing one game: torchrun starts them, this file lets them agree.

There is no wrapper around the networks. The mover's gradients are averaged just before its step, so a penalty's double
backward and calls of submodules work as they do on one process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")

PATIENCE = timedelta(seconds=60)


def join(device: str) -> None:
    """Joins the group that torchrun announced in the environment; alone, does nothing."""
    if "WORLD_SIZE" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
        if device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def meet() -> None:
    """Waits for all ranks: where one leaves while another still talks to it, the other may abort on its way out."""
    if world() > 1:
        dist.barrier()


def leave() -> None:
    """Leaves the group, if in one."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """This process's number, 0 when alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """How many processes play."""
    return dist.get_world_size() if dist.is_initialized() else 1


def average(tensors: Iterable[Tensor]) -> None:
    """Replaces each tensor by its mean over all ranks, in place, with one all-reduce per type of number."""
    if world() == 1:
        return
    kinds: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault(tensor.dtype, []).append(tensor)
    for group in kinds.values():
        flat = torch.cat([tensor.flatten() for tensor in group])
        dist.all_reduce(flat)
        flat /= world()
        for tensor, piece in zip(group, flat.split([tensor.numel() for tensor in group]), strict=True):
            tensor.copy_(piece.view_as(tensor))


def any_of(flag: bool) -> bool:
    """Whether any rank says yes; all ranks get the same answer."""
    if world() == 1:
        return flag
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    answer = torch.tensor(float(flag), device=device)
    dist.all_reduce(answer, dist.ReduceOp.MAX)
    return bool(answer)


def gather(value: Any) -> list[Any]:
    """Every rank's value, in the order of ranks."""
    if world() == 1:
        return [value]
    values: list[Any] = [None] * world()
    dist.all_gather_object(values, value)
    return values


def share(value: Any) -> Any:
    """Rank 0's value, on every rank."""
    box = [value]
    if world() > 1:
        dist.broadcast_object_list(box)
    return box[0]


def one_after_rank_0(read: Callable[[], T]) -> T:
    """Calls `read` on rank 0, and when it is done there on the others: for what mends a shared folder as it reads."""
    if rank():
        share(None)
        return read()
    try:
        return read()
    finally:
        share(None)


def agree_on(game: nn.Module) -> None:
    """Gives every rank the weights and buffers of rank 0."""
    if world() > 1:
        for tensor in game.state_dict().values():
            dist.broadcast(tensor, 0)
