"""Reads arrays out of one kind of old pickle, without letting the pickle run anything.

A pickle is a program: it names a callable by module and name, and calls it. What it can do is what those names mean.
Here no name is ever looked up or imported. The three names that array pickles of NumPy 1 contain stand for two
classes of this file, which check what they are given and keep bytes; each other name is refused before anything is
called. NumPy's own way of unpickling, which trusts the shapes and types it reads, is not used either.

This is the only place in saddlepoint that opens a pickle: the best sources of MNIST and of its animals on the package
registry are some.
"""

from __future__ import annotations

import gzip
import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from saddlepoint.errors import DataError

_LIMIT = 1 << 29  # bytes of an unpacked file: more than twice what MNIST as float32 takes
_TYPES: dict[str, np.dtype[Any]] = {kind: np.dtype(f"<{kind}") for kind in ("f4", "i8", "u1")}


class _FrozenType:
    """In place of `numpy.dtype`: one of `_TYPES`, little endian or of single bytes."""

    def __init__(self, code: bytes | str, *flags: int) -> None:
        if _text(code) not in _TYPES:
            raise ValueError(f"numbers of type {code!r}")
        self.dtype = _TYPES[_text(code)]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if _text(state[1]) != ("|" if self.dtype.itemsize == 1 else "<"):
            raise ValueError("numbers that are not little endian")


class _FrozenArray:
    """In place of `numpy.ndarray`, and of `_reconstruct`, which makes an empty one: its bytes as a plain array."""

    values: np.ndarray

    def __init__(self, *_: Any) -> None:
        """Nothing of what the pickle says here is needed; `__setstate__` brings the content."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, content = state
        if not isinstance(kind, _FrozenType) or not isinstance(content, bytes):
            raise TypeError("an array that is no plain numbers")
        if by_columns:
            raise ValueError("an array that was written column after column")
        if len(content) != math.prod(shape) * kind.dtype.itemsize:
            raise ValueError("an array whose bytes do not fill its shape")
        self.values = np.frombuffer(content, kind.dtype).reshape(shape)


class _Unpickler(pickle.Unpickler):
    """Knows three names and imports nothing."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case ("numpy.core.multiarray", "_reconstruct") | ("numpy", "ndarray"):
                return _FrozenArray
            case "numpy", "dtype":
                return _FrozenType
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_arrays(path: Path) -> Any:
    """The arrays in a gzipped pickle, in the tuples, lists and dicts they were packed in.

    Args:
        path: the file. Its arrays must be uint8, or little-endian float32 or int64, row after row.

    Raises:
        DataError: the file is damaged, too large, or asks for anything but arrays.
    """
    try:
        with gzip.open(path) as file:
            content = file.read(_LIMIT + 1)
        if len(content) > _LIMIT:
            raise ValueError(f"it unpacks to more than {_LIMIT >> 20} MiB")
        return _plain(_Unpickler(io.BytesIO(content), encoding="bytes").load())
    # Whatever a hostile or damaged stream makes the machine stumble over, it is the file's fault.
    except Exception as error:
        raise DataError(
            f"refused to read a pickle: {error}", where=str(path), fix="install its package again"
        ) from error


def _plain(value: Any) -> Any:
    """`value` with its stand-ins replaced by the arrays that they hold."""
    if isinstance(value, _FrozenArray):
        return value.values
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _text(word: object) -> str:
    """A word as Python 3 writes it, or as Python 2 did."""
    return word.decode("ascii") if isinstance(word, bytes) else str(word)
