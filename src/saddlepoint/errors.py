"""Everything that can go wrong in a way a person can mend, each with an exit code.

An error says three things: *what* was found, *where*, and how to *fix* it. The command prints them on three lines
and leaves with `exit_code`, numbered as in BSD's sysexits, so that a script can tell a typing error from a full disk.
"""

from __future__ import annotations


class SaddleError(Exception):
    """Base of all errors that saddlepoint raises on purpose.

    Args:
        what: what was found, one sentence without a full stop.
        where: the flag, file or step it was found at.
        fix: what to do about it.
    """

    exit_code = 70
    name = "internal"

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class UsageError(SaddleError):
    """A flag, an option or a name that cannot be used as given."""

    exit_code, name = 64, "usage"


class DataError(SaddleError):
    """Input that was found but is damaged, changed or unsafe."""

    exit_code, name = 65, "data"


class CheckpointError(DataError):
    """A checkpoint or a model that is damaged, foreign or does not fit."""

    name = "checkpoint"


class MissingError(SaddleError):
    """Input that is not there: a folder, a run, a package."""

    exit_code, name = 66, "missing"


class UnavailableError(SaddleError):
    """A device, an ability or a service that this machine or game does not have."""

    exit_code, name = 69, "unavailable"


class GameError(SaddleError):
    """A game that breaks a rule of the loop: a recipe's author has to mend it."""

    name = "game"


class NumericError(SaddleError):
    """NaN or infinity that rolling back did not cure."""

    name = "numeric"


class LockedError(SaddleError):
    """An output that cannot be created, or that another process owns."""

    exit_code, name = 73, "locked"


class DiskError(SaddleError):
    """Reading or writing failed: a full disk, a device error."""

    exit_code, name = 74, "disk"


class Stopped(SaddleError):
    """Training was asked to stop; everything is saved and can be resumed."""

    exit_code, name = 75, "stopped"
