"""The sheet of neighbors: what stands where, and which distances are alarming."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from saddlepoint.errors import UsageError
from saddlepoint.pictures.neighbors import Row, neighbor_rows, neighbors_sheet


def row(number: int, distances: list[float], size: tuple[int, int] = (32, 32)) -> Row:
    sample = Image.new("RGB", size, (200, 10 * number, 0))
    return sample, [
        (Image.new("RGB", size, (0, 10 * number, 100 + place)), distance) for place, distance in enumerate(distances)
    ]


def test_samples_stand_left_and_their_neighbors_in_order() -> None:
    sheet = neighbors_sheet([row(1, [0.5, 1.5, 2.5]), row(2, [0.1, 0.2, 0.3])])
    # Three times 32 pixels; letters of 12, so titles take 24, gaps 6, feet 19.
    assert sheet.size == (96 + 18 + 3 * 96 + 2 * 6, 24 + 2 * (96 + 19))
    for number, top in ((1, 24), (2, 24 + 96 + 19)):
        assert sheet.getpixel((48, top + 48)) == (200, 10 * number, 0)
        for place in range(3):
            assert sheet.getpixel((96 + 18 + place * 102 + 48, top + 48)) == (0, 10 * number, 100 + place)
    written = np.asarray(sheet.convert("L"))
    assert written[:24, :96].min() < 100, "no title above the sample"
    assert written[:24, 114:].min() < 100, "no title above the neighbors"


def reds(sheet: Image.Image) -> list[bool]:
    """Whether there is red ink below each of three neighbors."""
    foot = np.asarray(sheet).astype(int)[24 + 96 :]
    red = (foot[..., 0] > foot[..., 1] + 100) & (foot[..., 0] > foot[..., 2] + 100)
    return [bool(red[:, 114 + 102 * place :][:, :96].any()) for place in range(3)]


def test_distances_below_the_alarm_are_red() -> None:
    rows = [row(1, [0.5, 1.0, 2.5])]
    assert reds(neighbors_sheet(rows)) == [False, False, False]
    assert reds(neighbors_sheet(rows, alarm=1.0)) == [True, False, False]
    assert reds(neighbors_sheet(rows, alarm=3.0)) == [True, True, True]


@pytest.mark.parametrize(("size", "cell"), [((8, 8), 96), ((40, 60), 120), ((128, 200), 128), ((1, 3), 96)])
def test_small_pictures_are_enlarged_by_a_whole_factor(size: tuple[int, int], cell: int) -> None:
    sheet = neighbors_sheet([row(1, [1.0], size)])
    height = cell * size[1] // size[0]
    letters = max(12, height // 10)
    assert sheet.width == 2 * cell + 3 * (letters // 2)
    assert sheet.height == 2 * letters + height + round(1.6 * letters)


def test_rows_may_have_fewer_neighbors() -> None:
    sheet = neighbors_sheet([row(1, [1.0, 2.0, 3.0]), row(2, [1.0])])
    assert sheet.getpixel((sheet.width - 48, sheet.height - 67)) == (255, 255, 255)


def test_tensors_become_rows() -> None:
    samples = torch.stack([torch.full((3, 8, 8), value) for value in (-1.0, 1.0)])
    pictures = np.stack([np.full((8, 8, 3), value, np.uint8) for value in (10, 20, 30)])
    rows = neighbor_rows(samples, pictures, torch.tensor([[2, 0], [1, 1]]), torch.tensor([[0.5, 1.0], [2.0, 3.0]]))
    assert [sample.getpixel((0, 0)) for sample, _ in rows] == [(0, 0, 0), (255, 255, 255)]
    found = [[(picture.getpixel((0, 0)), distance) for picture, distance in nearest] for _, nearest in rows]
    assert found == [[((30, 30, 30), 0.5), ((10, 10, 10), 1.0)], [((20, 20, 20), 2.0), ((20, 20, 20), 3.0)]]


def test_what_makes_no_sheet_is_refused() -> None:
    for rows in ([], [row(1, [1.0]), row(2, [])]):
        with pytest.raises(UsageError, match="no sheet"):
            neighbors_sheet(rows)
    with pytest.raises(UsageError, match="do not belong together"):
        neighbor_rows(torch.zeros(2, 1, 4, 4), torch.zeros(3, 1, 4, 4), torch.zeros(1, 2).long(), torch.zeros(1, 2))
