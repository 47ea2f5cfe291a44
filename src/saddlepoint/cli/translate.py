"""`saddle translate RUN IN OUT`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from ..data.policy import Policy
from . import flags
from .data import counted
from .output import emit
from .policy import OF_SETS, with_policy
from .values import whole

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ..data.loose import Loose
    from ..trained import Trained

ROWS = 16
"""Most pictures on a sheet."""

Given = Annotated[
    str, typer.Argument(metavar="IN", help="A picture, a folder or zip of pictures, or a camera: camera:0.")
]
Target = Annotated[Path, typer.Argument(metavar="OUT", help="A picture; of a folder a folder, in which names stay.")]
Back = Annotated[bool, flags.switch("--back", "From the target to the source, for a game that learned both ways.")]
Sheet = Annotated[bool, flags.switch("--sheet", f"One sheet instead: input beside output, of at most {ROWS} pictures.")]
Size = Annotated[
    int | None,
    flags.valued("--size", whole("--size", 1, 8192), "PIXELS", "Scale the shorter side to this first."),
]


@partial(with_policy, without=OF_SETS)
def translate(
    run: flags.RunArgument,
    given: Given,
    out: Target,
    policy: Policy,
    back: Back = False,
    sheet: Sheet = False,
    size: Size = None,
    seed: flags.Seed = 0,
    best: flags.Best = False,
    device: flags.Device = "auto",
    recipe_file: flags.RecipeFile = None,
    json: flags.Json = False,
) -> None:
    """Translate pictures with a run that learned to: at their own size, or with the shorter side scaled to --size."""
    from .. import api
    from ..abilities import translator
    from ..data.loose import Loose
    from ..data.scan import Watch
    from ..session import Stopper

    trained = api.load(run, best=best, device=device, recipe_file=recipe_file)
    translator(trained.game, trained.config["recipe"], back=back)
    channels = trained.config["data"]["channels"]
    with Stopper().listening() as stopper, counted("translating") as progress:
        watch = Watch(stopper, progress)
        pictures = Loose(given, channels=channels, size=size, policy=policy, watch=watch)
        path = settled(pictures, out, sheet=sheet)
        write = write_sheet if sheet else write_each
        write(trained, pictures, path, back=back, seed=seed)
    if json:
        counts = {"count": pictures.report.usable, "skipped": pictures.report.skipped}
        emit({"run": trained.run.name, "back": back, "seed": seed, **counts, "path": str(path)})
        return
    if pictures.report.bad:
        typer.echo(f"{pictures.report.bad:,} left out, first {pictures.report.first_bad()}", err=True)
    print(path)


def settled(pictures: Loose, out: Path, *, sheet: bool) -> Path:
    """Where to write: one picture, or a folder.

    Raises:
        UsageError: it lies in the way of what is read, or names a picture where a folder is needed.
    """
    from ..data.layout import PICTURES
    from ..errors import UsageError

    named, source = out.suffix.lower() in PICTURES, Path(pictures.report.source)
    if source.exists() and out.resolve().is_relative_to(source.resolve()):
        raise UsageError("OUT lies in IN, which would be read again", where=str(out), fix="write to another place")
    if sheet and not named:
        raise UsageError(f"a sheet is one picture, and {out} names none", where="OUT", fix="end it in .png or .webp")
    if pictures.single and not sheet:
        return out if named and not out.is_dir() else out / destinations(pictures.names)[pictures.names[0]]
    if named and not sheet:
        raise UsageError(f"many pictures need a folder, and {out} names one", where="OUT", fix="a folder, or --sheet")
    return out


def destinations(names: Sequence[str]) -> dict[str, str]:
    """By the name of each picture the name of its translation: always a PNG, since other formats lose something."""
    plain = {name: str(PurePosixPath(name).with_suffix(".png")) for name in names}
    # Some systems take A.png for a.png.
    count = Counter(each.casefold() for each in plain.values())
    return {name: each if count[each.casefold()] == 1 else f"{name}.png" for name, each in plain.items()}


def write_each(trained: Trained, pictures: Loose, out: Path, *, back: bool, seed: int) -> None:
    """Writes every translation under the name of its picture."""
    from ..pictures import grid

    places = destinations(pictures.names)
    for name, image in each(pictures):
        path = out if pictures.single else out / places[name]
        grid.save(grid.grid(trained.translate(image, back=back, seed=seed), padding=0), path)


def write_sheet(trained: Trained, pictures: Loose, out: Path, *, back: bool, seed: int) -> None:
    """Writes pictures beside their translations, and beside the way back where the game knows both."""
    from itertools import islice

    from ..abilities import TranslatesBack, translator
    from ..pictures.grid import save
    from ..pictures.translations import comparison

    game = translator(trained.game, trained.config["recipe"])
    one, other = reversed(game.sides) if back else game.sides
    taken = [image for _, image in islice(each(pictures), ROWS)]
    made = [trained.translate(image, back=back, seed=seed) for image in taken]
    columns = [(one, taken), (f"to {other}", made)]
    if isinstance(game, TranslatesBack):
        columns.append(("and back", [trained.translate(image, back=not back, seed=seed) for image in made]))
    save(comparison([(head, [image[0] for image in images]) for head, images in columns]), out)


def each(pictures: Loose) -> Iterator[tuple[str, Tensor]]:
    """The usable pictures by name, (1, C, H, W) in [-1, 1]."""
    for name, pixels in pictures:
        yield name, tensor(pixels)


def tensor(pixels: np.ndarray) -> Tensor:
    """One picture, uint8 (H, W, C), as games take them: (1, C, H, W) in [-1, 1]."""
    import torch

    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
