"""The flags about odd pictures and folders, for every verb that reads data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

from ..data.policy import Policy, parse_color, parse_share
from .flags import DATA, switch, valued
from .values import choice, whole


def _words(flag: str, meaning: str, *words: str) -> Any:
    return valued(flag, choice(flag, words), "HOW", f"{meaning}: {', '.join(words)}.", DATA)


# Each decision of `Policy` with its type on the command line, its flag, and its default where that is written
# differently there; shares and colors are read by `Policy`'s own parsers.
DECISIONS: dict[str, tuple[Any, Any]] = {
    "on_bad": (str, _words("--on-bad", "A file that cannot be used", "skip", "stop")),
    "max_bad": (str, valued("--max-bad", str, "SHARE", "Largest share of unusable files to go on with.", DATA)),
    "crop": (str, _words("--crop", "Another shape than asked for", "center", "pad", "stretch", "stop")),
    "background": (str, valued("--background", str, "COLOR", "Shows through transparent pixels.", DATA)),
    "floats": (str, _words("--floats", "Pixels that are floats", "skip", "scale")),
    "max_pixels": (
        int,
        valued("--max-pixels", whole("--max-pixels", 1, 10**10), "N", "Larger pictures are refused unread.", DATA),
    ),
    "max_member_mb": (
        int | None,
        valued("--max-member-mb", whole("--max-member-mb", 1, 10**6), "MB", "Trust members of a zip to here.", DATA),
    ),
    "min_side": (int, valued("--min-side", whole("--min-side", 1, 10**5), "N", "Smaller pictures are skipped.", DATA)),
    "follow_links": (bool, switch("--follow-links", "Follow links that lead out of the folder.", DATA)),
    "sniff": (bool, switch("--sniff", "Also open files without a picture's extension.", DATA)),
    "classes": (bool, switch("--classes/--no-classes", "Classes by label file or sub-folder.", DATA)),
    "drop_empty": (bool, switch("--drop-empty", "Drop classes without a usable picture.", DATA)),
}
WRITTEN = {"max_bad": "5%", "background": "white"}


OF_SETS = ("crop", "classes", "drop_empty")
"""Decisions that mean nothing where pictures are used one by one, each at a size of its own."""


def with_policy(verb: Callable[..., None], *, without: Sequence[str] = ()) -> Callable[..., None]:
    """Gives `verb`, which takes a `policy`, a flag for each of its decisions instead, but for those it is `without`."""
    flags = {field: option for field, option in DECISIONS.items() if field not in without}

    @wraps(verb)
    def wrapped(*args: Any, **values: Any) -> None:
        decisions = {field: values.pop(field) for field in flags}
        decisions["max_bad"] = parse_share(decisions["max_bad"])
        decisions["background"] = parse_color(decisions["background"])
        verb(*args, policy=Policy(**decisions), **values)

    defaults = Policy()
    signature = inspect.signature(verb, eval_str=True)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "policy"]
    for field, (kind, option) in flags.items():
        default = WRITTEN.get(field, getattr(defaults, field))
        annotation = Annotated[kind, option]  # type: ignore[valid-type]
        parameters.append(
            inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    # Typer reads both the signature and the annotations.
    wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped
