"""What a run on points keeps can be read again, whatever has happened to it."""

import numpy as np

from saddlepoint.pictures import negatives

from ..toys.plane import TRUTH, view


def test_what_is_kept_comes_back(tmp_path):
    negatives.keep_truth(TRUTH, tmp_path)
    for step in (500, 0, 1_000_000):
        negatives.keep(view(step), tmp_path)
    truth, found = negatives.truth(tmp_path), negatives.views(tmp_path)
    np.testing.assert_array_equal(truth.density, TRUTH.density)
    assert [one.step for one in found] == [0, 500, 1_000_000]
    kept, made = found[1], view(500)
    for part in ("opinion", "hits"):
        for name, array in vars(getattr(made, part)).items():
            np.testing.assert_array_equal(getattr(getattr(kept, part), name), array)
    assert kept.points.dtype == np.float32


def test_parts_that_were_not_kept_are_none(tmp_path):
    negatives.keep(negatives.View(3, np.zeros((4, 2), np.float32)), tmp_path)
    (found,) = negatives.views(tmp_path)
    assert found.opinion is None
    assert found.hits is None


def test_damaged_files_are_passed_over(tmp_path):
    path = negatives.keep(view(1), tmp_path)
    whole = path.read_bytes()
    for number, content in enumerate(
        (whole[: len(whole) // 2], b"<html>", b"", whole[:200] + b"\0" * 900 + whole[1100:])
    ):
        (path.parent / f"step-00001{number}.npz").write_bytes(content)
    (path.parent / "step-2.txt").write_bytes(whole)
    (path.parent / "notes.npz").write_bytes(whole)
    assert [one.step for one in negatives.views(tmp_path)] == [1]
    assert negatives.truth(tmp_path) is None


def test_arrays_that_would_run_code_are_not_read(tmp_path):
    (tmp_path / "samples").mkdir()
    np.savez(tmp_path / "samples" / "step-000001.npz", points=np.array([{"a": 1}], object))
    assert negatives.views(tmp_path) == []
