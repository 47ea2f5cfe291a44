"""Arrays come out of old pickles; nothing else in them ever runs."""

import gzip
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from saddlepoint.data import frozen_pickle
from saddlepoint.data.frozen_pickle import read_arrays
from saddlepoint.errors import DataError


def packed(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, compresslevel=1))
    return path


def as_python_2_wrote(array: np.ndarray, *, code: str = "", shape: tuple[int, ...] | None = None) -> bytes:
    """The opcodes of an array, without the final stop, as Python 2's NumPy packed them."""
    code = code or array.dtype.str[1:]
    sides = "".join(f"I{side}\n" for side in (shape or array.shape)).encode()
    data = array.tobytes()
    return b"".join(
        [
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR",
            b"(I1\n(" + sides + b"t",
            b"cnumpy\ndtype\n(S'" + code.encode() + b"'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb",
            b"I00\nT" + struct.pack("<i", len(data)) + data + b"tb",
        ]
    )


def test_arrays_come_out_as_they_went_in(tmp_path):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    labels = np.array([3, 1, 2])
    path = packed(tmp_path / "pair.gz", b"(" + as_python_2_wrote(values) + as_python_2_wrote(labels) + b"t.")
    first, second = read_arrays(path)
    np.testing.assert_array_equal(first, values)
    np.testing.assert_array_equal(second, labels)
    assert (first.dtype, second.dtype) == (np.float32, np.int64)


def as_python_3_wrote(array: np.ndarray) -> bytes:
    """A pickle of NumPy 1, whose module of arrays had another name."""
    return pickle.dumps(array, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int64])
def test_arrays_of_python_3_come_out_as_they_went_in(tmp_path, kind):
    values = np.arange(24).reshape(2, 3, 4).astype(kind)
    found = read_arrays(packed(tmp_path / "array.gz", as_python_3_wrote(values)))
    np.testing.assert_array_equal(found, values)
    assert found.dtype == kind


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)), "column after column"),
        (np.arange(6, dtype=">f4"), "not little endian"),
        (np.arange(6, dtype=np.uint16), "numbers of type 'u2'"),
        (np.array([None, 1]), "numbers of type 'O8'"),
    ],
)
def test_arrays_of_python_3_that_would_come_out_otherwise_are_refused(tmp_path, values, reason):
    with pytest.raises(DataError, match=reason):
        read_arrays(packed(tmp_path / "array.gz", as_python_3_wrote(values)))


class Evil:
    def __init__(self, call, argument):
        self.call, self.argument = call, argument

    def __reduce__(self):
        return self.call, (self.argument,)


def touch(canary: Path) -> list[bytes]:
    """Pickles that make the file `canary` when Python's own unpickler reads them."""
    python = f"open({str(canary)!r}, 'w').close()"
    shell = f"touch {canary}"
    return [
        *(pickle.dumps(Evil(os.system, shell), protocol) for protocol in range(6)),
        *(pickle.dumps(Evil(call, python), protocol) for call in (eval, exec) for protocol in range(6)),
        f"cos\nsystem\n(S'{shell}'\ntR.".encode(),
        f"cposix\nsystem\n(S'{shell}'\ntR.".encode(),
        f"(S'{shell}'\nios\nsystem\n.".encode(),
        f'c__builtin__\neval\n(S"{python}"\ntR.'.encode(),
        # Beside a harmless array, which would be unpacked first.
        b"(" + as_python_2_wrote(np.zeros(1)) + f"cos\nsystem\n(S'{shell}'\ntRt.".encode(),
    ]


@pytest.mark.parametrize("number", range(len(touch(Path("canary")))))
def test_a_malicious_pickle_is_refused_and_does_not_run(tmp_path, number):
    canary = tmp_path / "canary"
    evil = touch(canary)[number]
    with pytest.raises(DataError, match="refused to read a pickle"):
        read_arrays(packed(tmp_path / "evil.gz", evil))
    assert not canary.exists()
    pickle.loads(evil)
    assert canary.exists(), "the canary must sing for a careless reader, or this test says nothing"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"cnumpy\nload\n(S'x'\ntR.", "asks for numpy.load"),
        (b"cnumpy.core.multiarray\nscalar\n.", "asks for numpy.core.multiarray.scalar"),
        (b"c_codecs\nencode\n(S'x'\nS'hex'\ntR.", "asks for _codecs.encode"),
        (b"ccopy_reg\n_reconstructor\n.", "asks for copy_reg._reconstructor"),
        (as_python_2_wrote(np.zeros(2, np.float32), shape=(1 << 40,)) + b".", "do not fill its shape"),
        (as_python_2_wrote(np.zeros(2, np.float32), shape=(-2, -1)) + b".", None),
        (as_python_2_wrote(np.zeros(2, np.float32), code="O8") + b".", "numbers of type"),
        (as_python_2_wrote(np.zeros(2, np.float32))[:-30], None),
        (b"cnumpy\nndarray\n(NN}b.", None),
        (b"", None),
    ],
)
def test_anything_but_sound_arrays_is_refused(tmp_path, content, reason):
    with pytest.raises(DataError, match=reason):
        read_arrays(packed(tmp_path / "odd.gz", content))


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(frozen_pickle, "_LIMIT", 1 << 20)
    with pytest.raises(DataError, match="more than 1 MiB"):
        read_arrays(packed(tmp_path / "bomb.gz", bytes(1 << 22)))
