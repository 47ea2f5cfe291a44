"""Sheets of translations, and what their columns are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saddlepoint.pictures.grid import grid, save
from saddlepoint.pictures.portfolio import evolution, update
from saddlepoint.pictures.translations import LARGEST, Layout, comparison, read_layout, write_layout


def test_pictures_of_several_sizes_stand_in_equal_cells() -> None:
    small, large = torch.full((3, 40, 60), -1.0), torch.full((3, 90, 70), -1.0)
    sheet = comparison([("day", [small, large]), ("to night", [small, large])])
    black = (np.asarray(sheet).max(2) < 8).sum()
    # As many black points as there are points in all pictures, but for letters and their gray edges.
    assert 2 * (40 * 60 + 90 * 70) <= black < 2 * (40 * 60 + 90 * 70) + 400
    assert sheet.width == 2 * 70 + 2
    assert sheet.height > 2 * 90 + 2


def test_large_pictures_are_shrunk_and_small_ones_with_them() -> None:
    sheet = comparison([("a", [torch.zeros(1, 10 * LARGEST, 5 * LARGEST)]), ("b", [torch.zeros(1, 100, 100)])])
    assert sheet.width == LARGEST + 2  # two columns, each half as wide as high


def test_a_layout_is_written_once_and_read_by_anyone(tmp_path: Path) -> None:
    layout = Layout(("day", "to night"), (64, 48))
    assert read_layout(tmp_path) is None
    write_layout(tmp_path, layout)
    assert read_layout(tmp_path) == layout
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns
    write_layout(tmp_path, layout)
    assert file.stat().st_mtime_ns == before


BROKEN = ["", "[]", "{}", '{"columns": ["a"], "cell": [0, 9]}', '{"columns": 3, "cell": [1, 1]}']


@pytest.mark.parametrize("content", BROKEN)
def test_a_layout_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "layout.json").write_text(content)
    assert read_layout(tmp_path) is None


def test_evolution_shows_whole_rows_of_translations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saddlepoint.pictures.portfolio.find_spec", lambda name: None)
    samples = tmp_path / "samples"
    layout = Layout(("a", "to b", "and back", "b", "to a", "and back"), (10, 8))
    for step in (0, 5):
        save(grid(torch.zeros(48, 3, 8, 10), columns=6), samples / f"step-{step:06d}.png")
    write_layout(samples, layout)
    seen = []

    def drawn(frames: list[tuple[int, Image.Image]]) -> Image.Image:
        seen.extend(frame.size for _, frame in frames)
        return frames[0][1]

    monkeypatch.setattr("saddlepoint.pictures.portfolio.evolution_sheet", drawn)
    evolution(tmp_path, cell=(99, 99))
    assert seen == [(6 * 12 - 2, 4 * 10 - 2)] * 2
    update(tmp_path, film=False)
    page = (tmp_path / "report.html").read_text()
    assert "the same pictures (a · to b · and back · b · to a · and back)" in page
    assert "latents" not in page
    assert not (tmp_path / "real_vs_fake.png").exists()
