"""The application, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from . import (
    breed,
    compare,
    data,
    doctor,
    evaluate,
    failures,
    probe,
    report,
    resume,
    sample,
    show,
    tradeoff,
    train,
    translate,
    traverse,
    walk,
)
from . import list as listing

app = typer.Typer(
    name="saddle",
    help="Train GANs on your pictures and look at what they learned.",
    epilog="First steps: saddle train dcgan avatars:adventurer --size 32 --steps 2000, then saddle sample last.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("train", cls=train.TrainCommand)(train.train)
app.command("resume")(resume.resume)
app.command("sample")(sample.sample)
app.command("walk")(walk.walk)
app.command("breed")(breed.breed)
app.command("traverse")(traverse.traverse)
app.command("translate")(translate.translate)
app.command("tradeoff")(tradeoff.tradeoff)
app.command("show", cls=show.ShowCommand)(show.show)
app.command("list")(listing.list_recipes)
app.add_typer(data.app, name="data")
app.command("eval")(evaluate.evaluate)
app.command("probe")(probe.probe)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"saddlepoint {version('saddlepoint')}")
        raise typer.Exit


@app.callback()
def saddle(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, on every verb.")] = False,
) -> None:
    """Train GANs on your pictures and look at what they learned."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command line, without the program's name, and returns its exit code.

    Every error ends here: it is printed as what, where and how to fix on standard error, and its traceback only with
    `--debug`, which is understood anywhere on the line.
    """
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        # Without standalone mode typer hands errors to us instead of drawing a box around them; it then returns the
        # code of `typer.Exit`, and None after a verb that simply ended.
        # Verbs find the words as they were said in `ctx.obj`.
        return int(app(arguments, prog_name="saddle", standalone_mode=False, obj=arguments) or 0)
    except Exception as error:
        if debug and not isinstance(error, typer.TyperException):
            raise
        return failures.report(error, as_json="--json" in arguments)


def _share_cores() -> None:
    """Lets threads of an operation that wait for each other fall asleep soon, instead of holding a core meanwhile.

    As OpenMP comes, they spin for milliseconds, which on a busy machine is the time that the thread they wait for would
    need. Of two trainings on two cores the one with two threads took 43 seconds for what it does alone in 18; with this
    it takes 28, and alone still 18. The count is the one that libgomp itself takes where it knows of too few cores; it
    is read when torch is loaded, and what the user says stands.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def main() -> None:
    """The entry point of the command `saddle`."""
    _share_cores()
    sys.exit(run(sys.argv[1:]))
