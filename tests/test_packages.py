"""Packages are installed by the real pip, from wheels that these tests write; no network."""

import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from saddlepoint.errors import UnavailableError
from saddlepoint.packages import Needs, install_packages, package_file


def write_wheel(folder: Path, name: str, release: str, requires: str = "") -> None:
    info = f"{name}-{release}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(folder / f"{name}-{release}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/data.txt", "pixels")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder of wheels, and `tmp_path / "site"` where pip puts what it installs."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_TARGET": str(tmp_path / "site"),
        "PIP_CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def test_alone_means_without_dependencies(wheels, tmp_path, monkeypatch):
    write_wheel(wheels, "saddle_test_pictures", "1.0", requires="torch==0.0.1")
    need = Needs("saddle-test-pictures>=1", alone=True)
    assert not need.installed
    install_packages([need])
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert need.installed
    assert package_file("saddle-test-pictures", "saddle_test_pictures/data.txt").read_text() == "pixels"


def test_torch_never_changes(wheels, tmp_path):
    write_wheel(wheels, "saddle_test_pictures", "1.0", requires="torch==0.0.1")
    write_wheel(wheels, "torch", "0.0.1")
    before = version("torch")
    with pytest.raises(UnavailableError, match="saddle-test-pictures") as caught:
        install_packages([Needs("saddle-test-pictures>=1")])
    assert "pip install" in caught.value.fix
    assert not (tmp_path / "site" / "torch").exists()
    assert version("torch") == before


def test_what_cannot_be_had_says_what_pip_said(wheels):
    with pytest.raises(UnavailableError, match="No matching distribution") as caught:
        install_packages([Needs("saddle-test-nowhere==9", alone=True)])
    assert "--no-deps saddle-test-nowhere==9" in caught.value.fix
