"""Packages of npm: fetched by an npm that these tests write, verified, read and never unpacked."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from saddlepoint.data.tarballs import Tarball, fetch, read
from saddlepoint.errors import DataError, MissingError, UnavailableError

Pack = Callable[..., Tarball]


@pytest.fixture(name="pack")
def _pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    return lambda files, name="pictures": pack(tmp_path, files, name)


def pack(folder: Path, files: dict[str, bytes], name: str = "pictures") -> Tarball:
    """A package that lies in `folder`, not in the cache."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        link = tarfile.TarInfo("package/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for path, data in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    tarball = Tarball(name, "1.2.3", base64.b64encode(hashlib.sha512(content.getvalue()).digest()).decode())
    (folder / tarball.path.name).write_bytes(content.getvalue())
    return tarball


def install_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An npm on the path that runs `script` and nothing else."""
    (folder / "bin").mkdir()
    (folder / "bin" / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")


def test_what_is_wanted_is_read_once_it_is_fetched(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tarball = pack({"a.txt": b"one", "b/c.txt": b"two", "d.bin": b"three"})
    install_npm(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/pictures-1.2.3.tgz .')
    assert not tarball.installed
    with pytest.raises(MissingError):
        read(tarball, lambda name: True)
    fetch([tarball])
    assert tarball.installed
    assert (tmp_path / "asked").read_text().split()[:3] == ["pack", "pictures@1.2.3", "--ignore-scripts"]
    assert [path.name for path in tarball.path.parent.iterdir()] == ["pictures-1.2.3.tgz"]
    # The link is no regular file and is left alone, wanted or not.
    assert read(tarball, lambda name: name.endswith(".txt")) == {"a.txt": b"one", "b/c.txt": b"two"}
    (tmp_path / "asked").unlink()
    fetch([tarball])
    assert not (tmp_path / "asked").exists()


def test_without_npm_it_says_what_to_do(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="which is not installed") as caught:
        fetch([pack({"a.txt": b"one"})])
    assert "install Node.js" in caught.value.fix
    assert "npm pack pictures@1.2.3" in caught.value.fix


def test_what_cannot_be_had_says_what_npm_said(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(tmp_path, monkeypatch, "echo no such network >&2; exit 1")
    with pytest.raises(UnavailableError, match="npm could not fetch pictures") as caught:
        fetch([pack({"a.txt": b"one"})])
    assert caught.value.where == "no such network"


def test_another_file_is_refused_before_and_after_it_is_kept(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = pack({"a.txt": b"one"})
    install_npm(tmp_path, monkeypatch, "echo other > pictures-1.2.3.tgz")
    with pytest.raises(DataError, match="checksum"):
        fetch([tarball])
    assert not tarball.installed
    tarball.path.write_bytes(b"other")
    with pytest.raises(DataError, match="checksum") as caught:
        read(tarball, lambda name: True)
    assert "delete it" in caught.value.fix


def test_a_file_that_is_no_archive_is_refused(pack: Pack) -> None:
    content = b"no archive"
    tarball = Tarball("pictures", "1", base64.b64encode(hashlib.sha512(content).digest()).decode())
    tarball.path.parent.mkdir(parents=True)
    tarball.path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read(tarball, lambda name: True)
