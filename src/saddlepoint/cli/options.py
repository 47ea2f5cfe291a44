"""A recipe's options as flags: taken from the command line, checked, and described in the help.

The flags of `saddle train dcgan` depend on the recipe, so they are cut out of the line before typer reads the rest.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from typer.core import TyperCommand

from ..errors import UsageError
from .values import FALSE, TRUE, Kind

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from ..recipe import Recipe


GIVEN = "saddlepoint.options"
RECIPE = "saddlepoint.recipe"
# These come with every recipe; `train` has flags of its own for them.
SHARED = ("steps", "epochs")


class RecipeCommand(TyperCommand):
    """A verb whose first argument is a recipe and which takes that recipe's options as flags.

    The verb finds the loaded recipe and the values given under `RECIPE` and `GIVEN` in its context's `meta`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        declared = {
            name: not getattr(param, "is_flag", False)
            for param in self.get_params(ctx)
            for name in (*param.opts, *param.secondary_opts)
            if name.startswith("-")
        }
        name = recipe_name(args, declared)
        if name is not None:
            from .. import recipe

            found = recipe.find(name)
            ctx.meta[RECIPE] = found
            args, ctx.meta[GIVEN] = split(args, declared, found)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if RECIPE in ctx.meta:
            print_options(ctx.meta[RECIPE])


def recipe_name(args: Sequence[str], declared: Mapping[str, bool]) -> str | None:
    """The recipe on the line: the first word that names one, else the first that is no flag and no flag's value.

    Args:
        args: the words after the verb.
        declared: typer's own flags, and whether each takes a value.
    """
    from .. import recipe

    words: list[str] = []
    skip = False
    for word in args:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = "=" not in word and declared.get(word, False)
        else:
            words.append(word)
    known = {*recipe.names()}
    return next((word for word in words if word in known or word.endswith(".py")), words[0] if words else None)


def split(args: Sequence[str], declared: Mapping[str, bool], recipe: Recipe) -> tuple[list[str], dict[str, Any]]:
    """Takes the recipe's flags out of the line.

    Returns:
        The words that are left for typer, and the values given by option name.

    Raises:
        UsageError: a flag that neither typer nor the recipe knows, a missing or a refused value.
    """
    fields = {flag(name): name for name in fields_of(recipe)}
    rest: list[str] = []
    given: dict[str, Any] = {}
    words = iter(args)
    for word in words:
        head, equals, tail = word.partition("=")
        if not word.startswith("--") or head == "--" or head in declared:
            rest.append(word)
            if declared.get(word, False):
                rest.extend(next(([value] for value in words), []))
            continue
        positive = "--" + head.removeprefix("--no-")
        name = fields.get(head) or fields.get(positive)
        if name is None or (head not in fields and not _is_switch(recipe.options.model_fields[name])):
            raise _unknown(head, fields, declared, recipe.name)
        field = recipe.options.model_fields[name]
        if _is_switch(field):
            given[name] = _switch(head, tail if equals else None, negative=head not in fields)
            continue
        text = tail if equals else next(words, None)
        if text is None:
            raise UsageError(f"{head} needs a value: {kind(field)}", where=head, fix=_advice(head, field))
        given[name] = kind(field).read(head, text, fix=_advice(head, field))
    return rest, given


def fields_of(recipe: Recipe) -> dict[str, FieldInfo]:
    """The options that become flags, by name."""
    return {name: field for name, field in recipe.options.model_fields.items() if name not in SHARED}


def flag(name: str) -> str:
    """The flag of an option: `lr_generator` is `--lr-generator`."""
    return "--" + name.replace("_", "-")


def kind(field: FieldInfo) -> Kind:
    """What the flag of a field accepts, from its annotation and its bounds."""
    choices: list[object] = []
    plain: set[object] = set()
    _sort(field.annotation, plain, choices)
    low = high = None
    open_low = open_high = False
    for bound in field.metadata:
        if (value := getattr(bound, "ge", getattr(bound, "gt", None))) is not None:
            low, open_low = value, hasattr(bound, "gt")
        if (value := getattr(bound, "le", getattr(bound, "lt", None))) is not None:
            high, open_high = value, hasattr(bound, "lt")
    numbers = float if float in plain else int if int in plain else None
    return Kind(numbers, low, high, open_low, open_high, tuple(choices), str in plain, type(None) in plain)


def _sort(annotation: Any, plain: set[object], choices: list[object]) -> None:
    """Sorts the members of a union into types and literal values."""
    origin = get_origin(annotation)
    if origin is Literal:
        choices.extend(get_args(annotation))
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            _sort(part, plain, choices)
    else:
        plain.add(annotation)


def _is_switch(field: FieldInfo) -> bool:
    return field.annotation is bool


def _switch(head: str, value: str | None, *, negative: bool) -> bool:
    """The value of `--x`, `--no-x`, `--x=yes`."""
    if value is not None and value.lower() not in (*TRUE, *FALSE):
        raise UsageError(f'{head} must be yes or no, got "{value}"', where=head)
    return (value is None or value.lower() in TRUE) != negative


def _advice(head: str, field: FieldInfo) -> str:
    example = f"{head} {_written(field.default)}, the default" if field.default is not None else "leave it out"
    return f"{example} ({field.description})"


def _written(default: object) -> str:
    return "none" if default is None else str(default)


def _unknown(head: str, own: Iterable[str], shared: Iterable[str], recipe: str) -> UsageError:
    close = get_close_matches(head, [*own, *shared], n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return UsageError(
        f"{recipe} has no option {head}{meant}",
        where=head,
        fix=f"its own are {', '.join(own)}; for all flags see --help",
    )


def print_options(recipe: Recipe) -> None:
    """Prints the recipe's flags, values, defaults and presets below the shared ones."""
    from rich.table import Table

    from .output import console

    table = Table("flag", "value", "default", "meaning", title=f"Options of {recipe.name}", title_justify="left")
    for name, field in fields_of(recipe).items():
        words = (
            flag(name),
            "yes or no" if _is_switch(field) else str(kind(field)),
            "none" if field.default is None else str(field.default),
        )
        table.add_row(*words, field.description or "")
    screen = console()
    screen.print(table)
    for preset, values in recipe.presets.items():
        changes = ", ".join(f"{key}={value}" for key, value in values.items()) or "the defaults"
        screen.print(f"  --preset {preset}: {changes}")
