"""Zips: read in place, refused when unsafe, never extracted."""

import io
import os
import stat
import struct
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from saddlepoint.data import archives
from saddlepoint.data.archives import ZipStorage
from saddlepoint.data.decode import Decoded, calm
from saddlepoint.data.policy import Policy
from saddlepoint.data.report import Reason, Skip
from saddlepoint.errors import DataError


@pytest.fixture
def pack(tmp_path):
    """Writes a zip of {name or ZipInfo: bytes} pairs and opens it."""

    def pack(*members, compression=zipfile.ZIP_DEFLATED, edit=None):
        path = tmp_path / "data.zip"
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
            warnings.simplefilter("ignore")  # about duplicate names
            for name, data in members:
                archive.writestr(name, data)
        if edit:
            path.write_bytes(edit(path.read_bytes()))
        return ZipStorage(path)

    return pack


@pytest.fixture
def photo(draw, encode):
    return encode(draw())


def special(name: str, mode: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    return member


def refusal(storage: ZipStorage, policy: Policy | None = None) -> str:
    with pytest.raises(DataError) as error:
        storage.survey(policy or Policy())
    assert error.value.exit_code == 65
    assert error.value.where == storage.name
    assert error.value.what.startswith("data.zip: ")
    return error.value.what


def test_members_are_read_in_place(pack, photo, tmp_path):
    storage = pack(("dog/1.png", photo), ("cat/1.png", photo), ("cat/readme.txt", b"?"), ("cow/", b""))
    listing = storage.survey(Policy())
    assert [entry.name for entry in listing.entries] == ["cat/1.png", "dog/1.png"]
    assert listing.empty == ["cow"]
    assert listing.ignored == {"not an image": 1}
    assert all(isinstance(storage.load(entry, Policy(), (8, 8), 3), Decoded) for entry in listing.entries)
    assert os.listdir(tmp_path) == ["data.zip"]


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png", "C:/x.png", "..\\..\\x.png", "\\x.png"])
def test_names_that_point_outside_are_refused(pack, photo, name):
    assert refusal(pack(("ok.png", photo), (name, photo))) == (
        f"data.zip: member `{name}` points outside the archive: refused, nothing extracted"
    )


def test_a_name_with_a_nul_byte_is_refused(pack, photo):
    storage = pack(("a.pngX.txt", photo), edit=lambda data: data.replace(b"a.pngX.txt", b"a.png\0.txt"))
    assert "points outside" in refusal(storage)


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_special_files_are_refused(pack, mode):
    assert "is a link or a special file" in refusal(pack((special("a.png", mode), b"/etc/passwd")))


def test_a_name_that_is_there_twice_is_refused(pack, photo):
    assert "`a.png` is there twice" in refusal(pack(("a.png", photo), ("a.png", photo)))
    assert "is there twice" in refusal(pack(("c/a.png", photo), ("c\\a.png", photo)))


def test_names_that_differ_in_case_are_two_pictures(pack, photo):
    assert len(pack(("a.png", photo), ("A.png", photo)).survey(Policy()).entries) == 2


@pytest.mark.parametrize("name", ["inner.zip", "more.tar.gz", "x/y.7z"])
def test_nested_archives_are_refused(pack, name):
    assert "is an archive in the archive" in refusal(pack((name, b"PK")))


def test_encrypted_members_are_refused(pack, photo):
    def encrypt(data):
        at = data.rindex(b"PK\x01\x02")
        return data[: at + 8] + b"\x01" + data[at + 9 :]

    assert "is encrypted" in refusal(pack(("a.png", photo), edit=encrypt))


def test_bombs_are_refused_by_ratio_and_size_unless_trusted(pack, monkeypatch):
    storage = pack(("z.bmp", bytes(20 << 20)))
    said = refusal(storage)
    assert said.startswith("data.zip: member `z.bmp` expands ")
    assert said.endswith(":1 (20 MB), limit 200:1")
    with pytest.raises(DataError) as error:
        storage.survey(Policy())
    assert error.value.fix == "--max-member-mb 21 if you trust it"
    assert len(storage.survey(Policy(max_member_mb=21)).entries) == 1
    assert "has 20 MB, limit 19 MB" in refusal(storage, Policy(max_member_mb=19))
    monkeypatch.setattr(archives, "MEMBER_MB", 10)
    assert "has 20 MB, limit 10 MB" in refusal(storage)


def test_small_blank_pictures_are_no_bombs(pack, encode):
    blank = encode(Image.new("RGB", (300, 300)), "BMP")
    storage = pack(("blank.bmp", blank))
    assert len(blank) / storage.archive.infolist()[0].compress_size > 200
    assert len(storage.survey(Policy()).entries) == 1


def test_a_member_that_lies_about_its_size_expands_no_further(pack, photo):
    def lie(data):
        at = data.rindex(b"PK\x01\x02")
        return data[: at + 24] + struct.pack("<I", 100) + data[at + 28 :]

    storage = pack(("a.png", photo + bytes(50 << 20)), edit=lie)
    entry = storage.survey(Policy()).entries[0]
    assert isinstance(storage.load(entry, Policy(), None, None), Skip)


def test_overlapping_members_are_refused(pack, photo):
    """Two entries of the directory that share one member's bytes (Fifield 2019)."""

    def overlap(data):
        second = data.rindex(b"PK\x01\x02")
        return data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]

    assert "overlaps" in refusal(pack(("a.png", photo), ("b.png", photo), edit=overlap))


def test_too_many_members_are_refused(pack, photo, monkeypatch):
    monkeypatch.setattr(archives, "MEMBERS", 2)
    assert refusal(pack(*[(f"{n}.png", photo) for n in range(3)])) == "data.zip: has 3 members, limit 2"


def test_zip64_with_more_members_than_16_bits_count_is_read(tmp_path):
    path, count = tmp_path / "data.zip", 66_000
    path.write_bytes(empty_members(count))
    assert ZipStorage(path).survey(Policy()).ignored == {"not an image": count}


def empty_members(count: int) -> bytes:
    """A zip64 of empty members 000000.txt …, by hand: zipfile needs seconds to write it (APPNOTE 4.3)."""
    names = [b"%06d.txt" % number for number in range(count)]
    local = b"".join(struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 10, 0) + name for name in names)
    entry = struct.Struct("<4s6H3I5H2I")
    central = b"".join(
        entry.pack(b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 10, 0, 0, 0, 0, 0, 40 * number) + name
        for number, name in enumerate(names)
    )
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(central), len(local))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(local) + len(central), 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + central + end64 + locator + end


def test_a_bad_member_is_skipped_a_bad_archive_refused(pack, photo, tmp_path):
    def flip(data):
        at = data.index(photo[:20]) + 60
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    storage = pack(("a.png", photo), ("b.png", photo), compression=zipfile.ZIP_STORED, edit=flip)
    first, second = storage.survey(Policy()).entries
    found = storage.load(first, Policy(), None, None)
    assert isinstance(found, Skip)
    assert found.reason == Reason.DAMAGED
    assert isinstance(storage.load(second, Policy(), None, None), Decoded)
    whole = (tmp_path / "data.zip").read_bytes()
    for broken in (b"", b"PK", whole[: len(whole) // 2], whole[:-30]):
        (tmp_path / "data.zip").write_bytes(broken)
        with pytest.raises(DataError, match=r"data\.zip is not a zip that can be read"):
            ZipStorage(tmp_path / "data.zip")


def test_unknown_compression_skips_the_member(pack, photo):
    def strange(data):
        local, central = data.index(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
        data = data[: local + 8] + b"\x63" + data[local + 9 :]
        return data[: central + 10] + b"\x63" + data[central + 11 :]

    storage = pack(("a.png", photo), edit=strange)
    assert isinstance(storage.load(storage.survey(Policy()).entries[0], Policy(), None, None), Skip)


def test_mutated_archives_have_only_two_outcomes(photo, tmp_path):
    """Bytes flipped and cut anywhere: pictures, skips or a DataError, and nothing else."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("cat/1.png", "dog/2.png", "readme.txt"):
            archive.writestr(name, photo)
    seed, random, path = file.getvalue(), np.random.default_rng(3), tmp_path / "data.zip"
    outcomes = {"refused": 0, "read": 0, "skipped": 0}
    for case in range(900):
        data = bytearray(seed)
        for _ in range(random.integers(1, 4)):
            # Half of the mutations hit the directory at the end, where the rules are.
            at = int(random.integers(len(seed) - 250, len(seed)) if case % 2 else random.integers(len(seed)))
            if random.integers(4):
                data[at % len(data)] = random.integers(256)
            else:
                del data[at : at + int(random.integers(1, 9))]
        path.write_bytes(data)
        try:
            storage = ZipStorage(path)
            with calm():
                found = [storage.load(entry, Policy(), (8, 8), 3) for entry in storage.survey(Policy()).entries]
        except DataError:
            outcomes["refused"] += 1
            continue
        outcomes["skipped" if any(isinstance(one, Skip) for one in found) else "read"] += 1
    assert min(outcomes.values()) > 30
    assert os.listdir(tmp_path) == ["data.zip"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_other_file_is_opened(pack, photo, tmp_path):
    pack(("cat/1.png", photo), ("dog/1.png", photo))
    script = (
        "import sys; from pathlib import Path\n"
        "from saddlepoint.data.archives import ZipStorage; from saddlepoint.data.policy import Policy\n"
        "from PIL import Image; Image.preinit(); opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "storage = ZipStorage(Path('data.zip'))\n"
        "for entry in storage.survey(Policy()).entries: storage.load(entry, Policy(), (8, 8), 3)\n"
        "print(*sorted(set(opened)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if not name.endswith((".py", ".pyc"))] == ["data.zip"]
