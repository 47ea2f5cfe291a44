"""Label files: what somebody wrote down about the pictures of a folder or a zip, beside them.

    labels.json           {"a/1.png": "cat"}  or  {"a/1.png": {"hair": "short", "glasses": "none"}}
    labels.csv            a line of column names, then a line a picture, its name first
    dataset.json          {"labels": [["00000/img0.png", 6]]}, as StyleGAN's tools write it
    list_attr_celeba.txt  (or .csv) as CelebA comes: 1 and -1 for yes and no

Names are relative to the file, or to the one folder that holds all pictures. They are compared with the names of
pictures and never opened; the content is only ever text and numbers.
"""

from __future__ import annotations

import csv
import io
import json
import posixpath
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DataError
from .attributes import ABSENT, Attributes
from .layout import class_name, shown

LABEL = "label"
"""The name of the attribute where a file tells of one and does not name it."""

_LARGEST = 64 << 20  # bytes
_CELLS = 20_000_000  # pictures times attributes; in a hostile file each picture has an attribute of its own
_LONGEST = 100  # letters
_SIGNS = {"1": "yes", "-1": "no"}


@dataclass(frozen=True, eq=False)
class Labels:
    """A label file, read.

    Attributes:
        file: its name in the place of the pictures.
        place: that, for messages.
        rows: the line of each picture, by the name in the file.
        columns: for each attribute the values, by line.
    """

    file: str
    place: str
    rows: Mapping[str, int]
    columns: Mapping[str, Sequence[str]]

    def attributes(self, pictures: Sequence[str], others: Sequence[str] = ()) -> tuple[Attributes, list[str]]:
        """What is known of `pictures`, and the names in the file that are no picture's.

        Args:
            pictures: each of which must be in the file.
            others: those that may be, as they are there but cannot be used.

        Raises:
            DataError: a picture is not in the file.
        """
        find = self._finder(pictures)
        found = [find(picture) for picture in pictures]
        lines = [line for line in found if line is not None]
        if len(lines) < len(found):
            raise self._incomplete([name for name, line in zip(pictures, found, strict=True) if line is None])
        told = {*lines, *map(find, others)}
        strays = [name for name, line in self.rows.items() if line not in told]
        columns = {name: [values[line] for line in lines] for name, values in self.columns.items()}
        return Attributes.tabulate(columns, len(lines)), strays

    def _finder(self, pictures: Sequence[str]) -> Callable[[str], int | None]:
        """Finds the line of a picture; a Mac may have written the same name in another Unicode form."""
        here = posixpath.dirname(self.file)
        folders = {posixpath.dirname(picture) for picture in pictures}
        starts = [here + "/" if here else "", *(folder + "/" for folder in folders if len(folders) == 1)]
        forms = {unicodedata.normalize("NFC", name): line for name, line in self.rows.items()}

        def find(picture: str) -> int | None:
            for start in starts:
                name = picture.removeprefix(start)
                line = self.rows.get(name, forms.get(unicodedata.normalize("NFC", name)))
                if line is not None:
                    return line
            return None

        return find

    def _incomplete(self, missing: list[str]) -> DataError:
        more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
        folded = {posixpath.basename(name).casefold(): name for name in self.rows}
        alike = folded.get(posixpath.basename(missing[0]).casefold())
        hint = f"it has `{shown(alike)}`, " if alike else ""
        return DataError(
            f"{shown(self.file)} has no entry for `{shown(missing[0])}`{more}",
            where=shown(self.place),
            fix=f"{hint}add what is missing, or --no-classes to train without classes",
        )


def read(file: str, data: bytes, place: str) -> Labels | None:
    """The labels in a file of one of the names above; None where a `dataset.json` holds none.

    Args:
        file: its name in the place of the pictures.
        data: what is in it.
        place: the place, for messages.

    Raises:
        DataError: it is not of its form.
    """
    try:
        if len(data) > _LARGEST:
            raise ValueError(f"{len(data) >> 20} MB, limit {_LARGEST >> 20} MB")
        parts = _FORMS[posixpath.basename(file)](data.decode("utf-8-sig"))
        if parts is None:
            return None
        names, columns = parts
        return Labels(file, place, _lines(names), _named(columns))
    except RecursionError:
        raise refused(file, "it is nested too deeply", place) from None
    except (ValueError, csv.Error) as error:  # UnicodeError and JSONDecodeError among them
        raise refused(file, str(error), place) from None


def refused(file: str, why: str, place: str) -> DataError:
    """The error for a label file that cannot be used."""
    return DataError(
        f"{shown(file)} cannot be used: {why}",
        where=shown(place),
        fix="mend it (the guide to your pictures shows its form), or --no-classes to train without classes",
    )


_Table = tuple[Sequence[str], Mapping[str, Sequence[Any]]]


def _by_name(text: str) -> _Table:
    """labels.json."""
    found = _json(text)
    if not isinstance(found, dict):
        raise ValueError("not an object of labels by picture")
    return list(found), _columns(found.values())


def _by_stylegan(text: str) -> _Table | None:
    """dataset.json; other programs write files of this name, too."""
    found = _json(text)
    pairs = found.get("labels") if isinstance(found, dict) else None
    if pairs is None:
        return None
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError("`labels` is not a list of pairs [picture, label]")
    names = [pair[0] for pair in pairs]
    if not all(isinstance(name, str) for name in names):
        raise ValueError("a pair of `labels` does not begin with the name of a picture")
    return names, _columns([pair[1] for pair in pairs])


def _by_column(text: str) -> _Table:
    """labels.csv; programs in many languages write `;` or tabs."""
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _tabled((reader.line_num, [cell.strip() for cell in row]) for row in reader if row)


def _by_celeba(text: str) -> _Table:
    """list_attr_celeba.txt: the number of pictures, the attributes, and a line a picture, with spaces between."""
    lines = text.splitlines()[1:]
    header = [["picture", *line.split()] for line in lines[:1]]
    return _tabled(enumerate([*header, *(line.split() for line in lines[1:] if line.strip())], 2))


_FORMS: Mapping[str, Callable[[str], _Table | None]] = {
    "labels.json": _by_name,
    "dataset.json": _by_stylegan,
    "labels.csv": _by_column,
    "list_attr_celeba.csv": _by_column,
    "list_attr_celeba.txt": _by_celeba,
}


def _tabled(numbered: Iterable[tuple[int, list[str]]]) -> _Table:
    """Columns of numbered rows, the first of which names them and in each of which the first cell names a picture.

    A column of nothing but 1 and -1, as in CelebA, says yes and no.
    """
    rows = iter(numbered)
    _, header = next(rows, (0, []))
    if len(header) < 2:
        raise ValueError("its first line does not name a column of labels beside that of the pictures")
    if len(set(header)) < len(header):
        raise ValueError("its first line names a column twice")
    kept = []
    for number, row in rows:
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} cells, and the first line {len(header)}")
        kept.append(row)
        _require_few(len(header), len(kept))
    names, *columns = zip(*kept, strict=True) if kept else [()] * len(header)
    words = [[_SIGNS[cell] for cell in cells] if set(cells) == set(_SIGNS) else cells for cells in columns]
    return names, dict(zip(header[1:], words, strict=True))


def _columns(records: Iterable[Any]) -> dict[str, list[Any]]:
    """Columns of records that are all attributes by name, or all one label."""
    records = list(records)
    kinds = {isinstance(record, dict) for record in records}
    if len(kinds) > 1:
        raise ValueError("some pictures have a label and others attributes by name")
    if True not in kinds:
        return {LABEL: records}
    names = dict.fromkeys(name for record in records for name in record)
    _require_few(len(names), len(records))
    return {name: [record.get(name) for record in records] for name in names}


def _named(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
    """All columns as text, under their names as text."""
    names = [_text(name) for name in columns]
    longest = max(map(len, names), default=0)
    if len(set(names)) < len(names) or longest > _LONGEST:
        raise ValueError(f"the names of its attributes must differ, and have up to {_LONGEST} letters")
    return {name: _spelled(values) for name, values in zip(names, columns.values(), strict=True)}


def _require_few(attributes: int, pictures: int) -> None:
    if attributes * pictures > _CELLS:
        raise ValueError(f"{attributes:,} attributes of {pictures:,} pictures are too many")


def _spelled(values: Sequence[Any]) -> list[str]:
    """A column as text."""
    known: dict[Any, str] = {}
    words = []
    for value in values:
        word = known.get(value) if isinstance(value, str) else _text(value)
        if word is None:
            word = known[value] = _text(value)
        words.append(word)
    return words


def _text(value: Any) -> str:
    """A value as text; what is empty counts as absent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (str, int, float, type(None))):
        raise ValueError("a label is neither text nor a number")
    # Bytes that are no UTF-8 have a spelling; other halves of a surrogate pair have none and raise.
    return class_name("" if value is None else str(value).strip()) or ABSENT


def _lines(names: Sequence[str]) -> dict[str, int]:
    """The line of each name, as pictures are named here."""
    lines: dict[str, int] = {}
    for number, given in enumerate(names):
        name = given.replace("\\", "/").removeprefix("./")
        if name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"`{shown(given)}` points outside the folder")
        if name in lines:
            raise ValueError(f"it repeats `{shown(given)}`")
        lines[name] = number
    return lines


def _json(text: str) -> Any:
    """JSON without what its standard leaves open: repeated keys, and numbers that are none."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise ValueError(f"it repeats `{shown(name)}`")
            found[name] = value
        return found

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no label")

    return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
