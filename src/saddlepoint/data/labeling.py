"""Which classes a set has by what is known of its pictures: the choice that `--by` makes."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import DataError, UsageError
from .attributes import Attributes
from .images import Images
from .labels import Labels, read, refused
from .layout import shown
from .listing import Listing
from .policy import Policy
from .report import Skip
from .scan import require_pictures

_SHOWN = 8  # attributes that a note names


def labeled(listing: Listing, by: Sequence[str] | None, policy: Policy, place: str) -> Listing:
    """A listing with the classes that its label file gives.

    A file that tells of one attribute makes the classes by itself; of several, only those named in `by` do.

    Args:
        listing: of a folder or a zip.
        by: names of attributes; None leaves label files alone.
        policy: may want no classes.
        place: the folder or zip, for messages.

    Raises:
        DataError: a label file that cannot be used, or lacks a picture.
        UsageError: an attribute that cannot be chosen.
    """
    file = None if by is None or not policy.classes else _find(listing, place)
    for name in listing.labels:
        if file is None or name != file.file:
            listing.ignore(name)
    if file is None:
        if by and listing.entries:
            raise UsageError(
                f"no label file lies in {shown(place)}",
                where="--by",
                fix="write labels.json or labels.csv beside the pictures, or leave out --by",
            )
        return listing
    listing.attributes = {name: len(set(values)) for name, values in file.columns.items()}
    if not by and len(file.columns) > 1:
        listing.notes.append(_offer(file))
        return listing
    skipped = [name for name, _ in listing.skipped]
    table, strays = file.attributes([entry.name for entry in listing.entries], skipped)
    if strays:
        listing.notes.append(
            f"{shown(file.file)} has labels of {len(strays):,} pictures that are not there, first {shown(strays[0])}"
        )
    if not table.names and not by:
        return listing
    try:
        labels, classes = table.classes(by or table.names)
    except UsageError as error:
        if by:
            raise
        raise refused(file.file, error.what, place) from None  # nobody chose: the file is at fault
    entries = [entry._replace(label=classes[label]) for entry, label in zip(listing.entries, labels, strict=True)]
    return replace(listing, entries=entries, classes=classes)


def relabeled(images: Images, table: Attributes, by: Sequence[str], policy: Policy) -> Images:
    """A named set with the classes that `by` makes of its attributes.

    Raises:
        DataError: a class with fewer than two pictures.
        UsageError: an attribute that cannot be chosen.
    """
    labels, classes = table.classes(by)
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    fix = "draw more (avatars:STYLE:COUNT), choose fewer attributes, or --drop-empty"
    require_pictures(dict(zip(classes, counts, strict=True)), policy, images.name, fix)
    return replace(images, labels=labels, classes=classes, fingerprint=f"{images.fingerprint}-by-{','.join(by)}")


def _find(listing: Listing, place: str) -> Labels | None:
    """The one label file of the pictures, read; those beside only some of them do not count."""
    names = [entry.name for entry in listing.entries]
    found = []
    for file, content in listing.labels.items():
        folder = posixpath.dirname(file)
        if not names or not all(name.startswith(f"{folder}/") for name in names if folder):
            continue
        if isinstance(content, Skip):
            raise refused(file, f"{content.reason}" + (f" ({content.detail})" if content.detail else ""), place)
        labels = read(file, content, place)
        if labels is not None:
            found.append(labels)
    if len(found) > 1:
        raise DataError(
            f"there are {len(found)} label files: {', '.join(shown(labels.file) for labels in found)}",
            where=shown(place),
            fix="keep one of them, or --no-classes to train without classes",
        )
    return found[0] if found else None


def _offer(file: Labels) -> str:
    """What a person can choose from a file of several attributes."""
    names = list(map(shown, file.columns))
    more = ", …" if len(names) > _SHOWN else ""
    what = f"{shown(file.file)} tells of {len(names):,} attributes"
    return f"{what}, and --by NAME makes classes of them: {', '.join(names[:_SHOWN])}{more}"
