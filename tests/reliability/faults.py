"""Faults on purpose: something happens at the k-th time that a process touches the disk.

Counted are the calls that change a disk: making, renaming and removing names, opening a file to write, each write, and
each flush. A real flush takes milliseconds and protects from a power cut only, so none is made here: what was written
and not flushed is remembered, and a simulated power cut takes it away.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from trials import play

NAMES = ("mkdir", "rename", "replace", "unlink", "rmdir", "ftruncate")
Act = Callable[[str, "Disk"], None]


class Disk:
    """Counts what a process does to the disk.

    Args:
        at: the call at which `act` is called; None only counts.
        act: is told the call's name, just before the call.
        lasting: `act` is called at every later call as well.
    """

    def __init__(self, at: int | None = None, act: Act | None = None, *, lasting: bool = False) -> None:
        self.at, self.act, self.lasting = at, act, lasting
        self.calls: list[str] = []
        self.unflushed: dict[tuple[int, int], int] = {}

    def touch(self, name: str) -> None:
        """Counts a call, and makes the fault if it is its turn."""
        self.calls.append(name)
        number = len(self.calls)
        if self.act and self.at is not None and (number == self.at or (self.lasting and number > self.at)):
            self.act(name, self)

    @contextlib.contextmanager
    def watched(self) -> Iterator[Disk]:
        """Inside, every call that changes the disk is counted."""
        with contextlib.ExitStack() as patches:
            for name in NAMES:
                patches.enter_context(mock.patch.object(os, name, self._counted(name, getattr(os, name))))
            patches.enter_context(mock.patch.object(os, "fsync", self._flush))
            patches.enter_context(mock.patch.object(builtins, "open", self._opening(builtins.open)))
            yield self

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.touch(name)
            return call(*args, **kwargs)

        return counted

    def _flush(self, descriptor: int) -> None:
        self.touch("fsync")
        found = os.fstat(descriptor)
        if (kept := self.unflushed.pop((found.st_dev, found.st_ino), None)) is not None:
            os.close(kept)

    def _opening(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def opening(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not set(mode) & set("wax+"):
                return call(path, mode, *args, **kwargs)
            self.touch("open")
            file = call(path, mode, *args, **kwargs)
            found = os.fstat(file.fileno())
            self.unflushed.setdefault((found.st_dev, found.st_ino), os.dup(file.fileno()))
            return Writer(file, self)

        return opening


class Writer:
    """A file whose writes count."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk = file, disk

    def write(self, content: Any) -> int:
        half = len(content) // 2
        # A write may be cut anywhere: the fault comes between the two halves.
        self.file.write(content[:half])
        self.file.flush()
        self.disk.touch("write")
        self.file.write(content[half:])
        return len(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def kill(name: str, disk: Disk) -> None:
    """The process dies; what it wrote is in the kernel's hands and will reach the disk."""
    os.kill(os.getpid(), signal.SIGKILL)


def power_cut(name: str, disk: Disk) -> None:
    """The machine dies: files that were not flushed come back empty."""
    for descriptor in disk.unflushed.values():
        os.truncate(descriptor, 0)
    kill(name, disk)


def failure(number: int) -> Act:
    """The call fails with the error `number`, such as `errno.ENOSPC`. A full disk still lets go of what it holds."""

    def fail(name: str, disk: Disk) -> None:
        if number == errno.EIO or name not in ("unlink", "rmdir"):
            raise OSError(number, os.strerror(number))

    return fail


FATAL: dict[str, Act] = {"kill": kill, "power cut": power_cut}


def play_and_die(fault: str, at: int, **arguments: Any) -> None:
    """Plays a run until its `at`-th touch of the disk, of which it dies."""
    with Disk(at, FATAL[fault]).watched():
        play(**arguments)


def play_and_count(report: str, **arguments: Any) -> None:
    """Plays a run to its end and writes how often it touched the disk."""
    with Disk().watched() as disk:
        play(**arguments)
    with open(report, "w") as file:
        file.write(str(len(disk.calls)))


def play_on_a_full_disk(full_from: int, full_to: int, **arguments: Any) -> None:
    """Plays a run whose disk is full from one touch to another."""
    refuse = failure(errno.ENOSPC)

    def full(name: str, disk: Disk) -> None:
        if len(disk.calls) < full_to:
            refuse(name, disk)

    with Disk(full_from, full, lasting=True).watched():
        play(**arguments)
