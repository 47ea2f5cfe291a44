"""Errors as a person should meet them: what, where, how to fix, and an exit code."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import typer

from ..errors import SaddleError, UsageError


def report(error: Exception, *, as_json: bool = False) -> int:
    """Prints `error` on standard error and returns its exit code.

    Args:
        error: anything that ended a verb.
        as_json: also print one object `{"error": {…}}` on standard output, for a script that waits for one.
    """
    if isinstance(error, typer.TyperException) and not error.format_message().strip():
        return UsageError.exit_code  # a group without a verb: its help is on the screen
    shown = translate(error)
    lines = [f"error[{shown.name}]: {shown.what}"]
    if shown.where:
        lines.append(f"  where: {shown.where}")
    if shown.fix:
        lines.append(f"  fix: {shown.fix}")
    rank = os.environ.get("RANK", "0")
    if rank != "0":
        # Every process meets the same error or dies of another's; the first one explains, the others say one line.
        lines = [f"[rank {rank}] {lines[0].splitlines()[0]}"]
    print("\n".join(lines), file=sys.stderr)
    if as_json and rank == "0":
        facts = {"code": shown.exit_code, "name": shown.name, "what": shown.what, "where": shown.where}
        print(json.dumps({"error": {**facts, "fix": shown.fix}}))
    return shown.exit_code


def translate(error: Exception) -> SaddleError:
    """The same error as one of ours; what nobody foresaw goes to a log file that the message names."""
    if isinstance(error, SaddleError):
        return error
    if isinstance(error, typer.TyperException):
        return _usage(error)
    return SaddleError(
        f"{type(error).__name__}: {str(error).strip() or 'no message'}".splitlines()[0],
        where=f"the traceback is in {_write_log(error)}",
        fix="this is a fault of saddlepoint: please report it with that file; --debug shows the traceback here",
    )


def _usage(error: typer.TyperException) -> UsageError:
    """A complaint of the argument parser in our own shape."""
    text = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    verb = context.command_path if context else "saddle"
    where = getattr(error, "option_name", None) or verb
    return UsageError(text[:1].lower() + text[1:], where=where, fix=f"see {verb} --help")


def _write_log(error: Exception) -> Path:
    """Keeps the traceback where the user can find it; the temporary folder will do when home is read-only."""
    text = "".join(traceback.format_exception(error))
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "saddlepoint"
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        state.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(text, encoding="utf-8")
        return state / name
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="saddle-")) / name
        path.write_text(text, encoding="utf-8")
        return path
