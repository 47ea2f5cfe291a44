"""`--devices N`: the same command line again in N processes, through torch's elastic launcher.

This is what `torchrun --standalone` does, called directly, so that the exit code of the first process that failed is
this command's exit code and no second traceback hides its message.
"""

from __future__ import annotations

import logging
import os
import sys
import uuid
from collections.abc import Sequence

from ..errors import Stopped, UnavailableError, UsageError

STOPPING = 120
"""Seconds that the processes have to save before they are killed."""


def inside() -> bool:
    """Whether this process is one of several that torchrun, or we, started."""
    return "WORLD_SIZE" in os.environ


def needed(devices: int, device: str | None, batch: int | None = None) -> bool:
    """Whether `devices` processes have yet to be started; refuses a number that cannot work before any is.

    Args:
        devices: processes asked for.
        device: where each runs.
        batch: samples of one draw, if known, which the processes share.

    Raises:
        UsageError: torchrun started another number, or the batch cannot be divided among them.
        UnavailableError: more GPUs than there are.
    """
    if inside() and devices not in (1, int(os.environ["WORLD_SIZE"])):
        raise UsageError(
            f"--devices {devices}, but torchrun started {os.environ['WORLD_SIZE']} processes",
            where="--devices",
            fix="leave --devices out under torchrun",
        )
    if batch is not None and batch % devices:
        below, above = batch - batch % devices, batch + devices - batch % devices
        raise UsageError(
            f"batch {batch} does not divide by {devices} processes",
            where="--batch",
            fix=" or ".join(f"--batch {size}" for size in (below, above) if size),
        )
    if device == "cuda" and devices > 1:
        import torch

        found = torch.cuda.device_count()
        if found < devices:
            raise UnavailableError(f"{devices} GPUs asked, {found} found", where="--devices", fix="--device cpu")
    return devices > 1 and not inside()


def spawn(devices: int, arguments: Sequence[str]) -> int:
    """Runs `saddle ARGUMENTS` in `devices` processes on this machine and returns the exit code of all of them."""
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # The processes say themselves what went wrong; the launcher's own table would bury it.
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // devices)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=str(uuid.uuid4()),
        rdzv_backend="c10d",
        # Port 0 takes a free one, so two trainings on one machine never meet.
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        shutdown_timeout=STOPPING,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "saddlepoint.cli", *arguments)
    except ChildFailedError as error:
        code = error.get_first_failure()[1].exitcode
        return code if code > 0 else 70
    except SignalException:
        # Passed on to the processes, which saved and said so.
        return Stopped.exit_code
    return 0
