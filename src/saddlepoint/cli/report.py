"""`saddle report RUN`."""

from __future__ import annotations

from . import flags
from .output import emit


def report(run: flags.RunArgument, json: flags.Json = False) -> None:
    """Make a run's plots, films and page anew, also while it trains, and name the page."""
    from ..pictures import portfolio
    from ..run import find

    folder = find(run).folder
    portfolio.update(folder, film=True)
    path = folder / "report.html"
    if json:
        emit({"run": folder.name, "path": str(path)})
    else:
        print(path)
