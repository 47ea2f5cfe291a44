"""What is known of each picture of a set besides its pixels: hair, glasses, colors.

Kept by column, as a table of small whole numbers and the values that they stand for. A column is then already a
labelling: `codes[:, k]` with `values[k]` as class names. Several columns are one, too: its classes are the
combinations that occur.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from saddlepoint.data.layout import shown, sort_key
from saddlepoint.errors import DataError, UsageError

ABSENT = "none"
MOST = 1_000
"""Classes that a set may have; of a number measured or counted there are soon more."""

_LONGEST = 100  # characters of a value that names a class
_SHOWN = 40  # attributes that a message lists
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Attributes:
    """A table of attributes.

    Attributes:
        names: of the columns, K of them.
        values: for each column, the values it takes, sorted.
        codes: int32 (N, K): the place in `values[k]` of picture n's value.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def labels(self, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """One column as int64 labels (N,) and their class names.

        Raises:
            UsageError: there is no such column.
        """
        column = self._column(name)
        return self.codes[:, column].astype(np.int64), self.values[column]

    def classes(self, by: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Labels int64 (N,) and class names by one or several columns.

        Of one column its values are the classes; of several the combinations that occur, `glasses=round hair=long`, in
        the order of their values.

        Raises:
            UsageError: there is no such column, its values are no names, or these are too many classes.
        """
        columns = [self._column(name) for name in by]
        for column in columns:
            self._require_names(column)
        if len(columns) == 1:
            labels, names = self.labels(by[0])
        else:
            taken, found = np.unique(self.codes[:, columns], axis=0, return_inverse=True)
            labels, names = found.reshape(-1).astype(np.int64), tuple(self._combined(columns, row) for row in taken)
        if len(names) > MOST:
            few = [name for name, values in zip(self.names, self.values, strict=True) if len(values) <= MOST]
            raise UsageError(
                f"{' and '.join(by)} would make {len(names):,} classes, at most {MOST:,}",
                where="--by",
                fix="choose attributes with fewer values" + (f": {_listed(few)}" if few else ""),
            )
        return labels, names

    def _combined(self, columns: Sequence[int], codes: np.ndarray) -> str:
        pairs = zip(columns, codes, strict=True)
        return " ".join(f"{self.names[column]}={self.values[column][code]}" for column, code in pairs)

    def _column(self, name: str) -> int:
        if name not in self.names:
            near = get_close_matches(name, self.names, 1)
            raise UsageError(
                f"unknown attribute '{shown(name)}'" + (f"; did you mean '{near[0]}'?" if near else ""),
                where="--by",
                fix=f"those that vary are {_listed(self.names)}" if self.names else "none varies: leave out --by",
            )
        return self.names.index(name)

    def _require_names(self, column: int) -> None:
        """Refuses numbers that were measured, and marks such as -1: they name no class."""
        for value in self.values[column]:
            whole = value.isascii() and value.isdigit()
            if len(value) > _LONGEST or (_NUMBER.fullmatch(value) and not whole):
                raise UsageError(
                    f"`{shown(self.names[column])}` of a picture is {shown(value[:_LONGEST])}, which names no class",
                    where="--by",
                    fix=f"labels are names of up to {_LONGEST} letters, or whole numbers from 0",
                )

    def of(self, picture: int) -> dict[str, str]:
        """All that is known of one picture."""
        chosen = zip(self.names, self.values, self.codes[picture], strict=True)
        return {name: values[code] for name, values, code in chosen}

    @classmethod
    def gather(cls, records: Sequence[Mapping[str, str]]) -> Attributes:
        """A table of `records`, one a picture.

        A key that a record lacks counts as `ABSENT`. Columns that never vary say nothing and are left out.
        """
        names = {key for record in records for key in record}
        return cls.tabulate({name: [record.get(name, ABSENT) for record in records] for name in names}, len(records))

    @classmethod
    def tabulate(cls, columns: Mapping[str, Sequence[str]], count: int) -> Attributes:
        """A table of `columns` of `count` values, likewise. Values that are whole numbers stand in their order."""
        names, values, codes = [], [], []
        for name in sorted(columns):
            taken = sorted(set(columns[name]), key=_order)
            if len(taken) > 1:
                code = {value: number for number, value in enumerate(taken)}
                names.append(name)
                values.append(tuple(taken))
                codes.append([code[value] for value in columns[name]])
        return cls(tuple(names), tuple(values), np.array(codes, np.int32).reshape(len(names), count).T)

    def beside(self, other: Attributes) -> Attributes:
        """This table and, to the right of it, another of the same pictures."""
        codes = np.concatenate([self.codes, other.codes], axis=1)
        return Attributes(self.names + other.names, self.values + other.values, codes)

    def save(self, path: Path) -> None:
        """Writes the table as JSON."""
        columns: Iterable[np.ndarray] = self.codes.T
        table = [
            {"name": name, "values": values, "codes": column.tolist()}
            for name, values, column in zip(self.names, self.values, columns, strict=True)
        ]
        path.write_text(json.dumps({"count": len(self), "columns": table}), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Attributes:
        """Reads what `save` wrote.

        Raises:
            DataError: the file holds something else.
        """
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            columns = table["columns"]
            codes = np.array([column["codes"] for column in columns], np.int32).reshape(len(columns), table["count"]).T
            names = tuple(column["name"] for column in columns)
            return cls(names, tuple(tuple(column["values"]) for column in columns), codes)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"not a table of attributes: {error}", where=str(path)) from error


def chosen(by: str | Iterable[str]) -> tuple[str, ...]:
    """Names of attributes, given one by one or in a text with commas between them: sorted, each once."""
    names = by.split(",") if isinstance(by, str) else by
    return tuple(sorted({name.strip() for name in names}))


def _order(value: str) -> tuple[int, int, tuple[bytes, bytes]]:
    """Whole numbers first, by their value; then names, as those of folders are ordered."""
    number = int(value) if value.isascii() and value.isdigit() and len(value) < _LONGEST else None
    return number is None, number or 0, sort_key(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:_SHOWN])) + (", …" if len(names) > _SHOWN else "")
