"""Packages of npm that lend their files: fetched once by npm itself, kept as they come, and never unpacked or run."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from saddlepoint.data.cache import default_folder
from saddlepoint.errors import DataError, MissingError, UnavailableError

_LARGEST = 16 << 20  # bytes of one file, expanded


@dataclass(frozen=True)
class Tarball:
    """One release of a package.

    Attributes:
        name: as npm knows it.
        version: exactly.
        sha512: of the file, in base64, as npm states it.
    """

    name: str
    version: str
    sha512: str

    @property
    def requirement(self) -> str:
        """As npm takes it."""
        return f"{self.name}@{self.version}"

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return default_folder() / "tarballs" / f"{self.name}-{self.version}.tgz"

    @property
    def installed(self) -> bool:
        """Whether it is here."""
        return self.path.exists()

    def verify(self, path: Path) -> None:
        """Refuses another file than the one that is meant.

        Raises:
            DataError: its checksum differs.
        """
        with path.open("rb") as file:
            found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode("ascii")
        if found != self.sha512:
            raise DataError(
                f"{path.name} is not the file of {self.requirement}: its checksum differs",
                where=str(path),
                fix="delete it, then `saddle data get` fetches it again",
            )


def fetch(tarballs: Sequence[Tarball]) -> None:
    """Fetches with npm what is not here.

    Raises:
        UnavailableError: npm is not there or failed, for example without a network; says what it said last.
        DataError: what came is another file.
    """
    for tarball in tarballs:
        if not tarball.installed:
            tarball.path.parent.mkdir(parents=True, exist_ok=True)
            # Inside the cache, so that the last step is a rename; and npm reads no settings of the current project.
            with tempfile.TemporaryDirectory(dir=tarball.path.parent) as folder:
                found = _pack(tarball, Path(folder))
                tarball.verify(found)
                os.replace(found, tarball.path)


def _pack(tarball: Tarball, folder: Path) -> Path:
    npm = shutil.which("npm")
    by_hand = f"put the file that `npm pack {tarball.requirement}` gives into {tarball.path.parent}"
    if npm is None:
        raise UnavailableError(
            f"{tarball.requirement} is a package of npm, which is not installed",
            where=tarball.requirement,
            fix=f"install Node.js, or on a machine that has it: {by_hand}",
        )
    done = subprocess.run(  # noqa: S603 - npm from the path; no shell; requirements from the catalog
        [npm, "pack", tarball.requirement, "--ignore-scripts", "--silent"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    found = folder / tarball.path.name
    if done.returncode or not found.exists():
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise UnavailableError(
            f"npm could not fetch {tarball.requirement}",
            where=said[-1] if said else f"npm ended with {done.returncode}",
            fix=by_hand,
        )
    return found


def read(tarball: Tarball, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The contents of some files, by their names within the package.

    Args:
        tarball: that is here.
        wanted: says of a name whether it is read.

    Raises:
        MissingError: it is not here.
        DataError: it is another file than the one that is meant, or cannot be read.
    """
    if not tarball.installed:
        raise MissingError(f"{tarball.requirement} is not here", where=str(tarball.path), fix="saddle data get NAME")
    tarball.verify(tarball.path)
    contents = {}
    try:
        with tarfile.open(tarball.path, "r:gz") as archive:
            for member in archive:
                name = member.name.partition("/")[2]  # npm wraps everything in one folder
                if member.isreg() and member.size <= _LARGEST and wanted(name):
                    file = archive.extractfile(member)
                    assert file is not None, "a regular file"
                    contents[name] = file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{tarball.path.name} cannot be read: {error}", where=str(tarball.path)) from error
    return contents
