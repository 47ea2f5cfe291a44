"""What is known of each picture of a set besides its pixels: hair, glasses, colors.

Kept by column, as a table of small whole numbers and the values that they stand for. A column is then already a
labelling: `codes[:, k]` with `values[k]` as class names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saddlepoint.errors import DataError, UsageError

ABSENT = "none"


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
        if name not in self.names:
            raise UsageError(f"unknown attribute '{name}'", fix="one of: " + ", ".join(self.names))
        column = self.names.index(name)
        return self.codes[:, column].astype(np.int64), self.values[column]

    def of(self, picture: int) -> dict[str, str]:
        """All that is known of one picture."""
        chosen = zip(self.names, self.values, self.codes[picture], strict=True)
        return {name: values[code] for name, values, code in chosen}

    @classmethod
    def gather(cls, records: Sequence[Mapping[str, str]]) -> Attributes:
        """A table of `records`, one a picture.

        A key that a record lacks counts as `ABSENT`. Columns that never vary say nothing and are left out.
        """
        names, values, columns = [], [], []
        for name in sorted({key for record in records for key in record}):
            column = [record.get(name, ABSENT) for record in records]
            taken = sorted(set(column))
            if len(taken) > 1:
                code = {value: number for number, value in enumerate(taken)}
                names.append(name)
                values.append(tuple(taken))
                columns.append([code[value] for value in column])
        codes = np.array(columns, np.int32).reshape(len(names), len(records)).T
        return cls(tuple(names), tuple(values), codes)

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
