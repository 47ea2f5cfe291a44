"""Grids: the right pixel in the right place, in every mode."""

import numpy as np
import pytest
import torch
from PIL import Image

from saddlepoint.errors import DiskError, UsageError
from saddlepoint.pictures.grid import grid, near_square, save, to_uint8


def test_the_range_of_games_becomes_bytes():
    images = torch.tensor([-1.0, 0.0, 1.0, 5.0, -5.0, float("nan"), float("inf"), 0.5]).view(1, 1, 2, 4)
    assert to_uint8(images).reshape(-1).tolist() == [0, 128, 255, 255, 0, 128, 255, 191]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_channels_move_last_for_every_float(dtype):
    images = torch.stack([torch.full((2, 5), value, dtype=dtype) for value in (-1.0, 0.0, 1.0)])[None]
    pixels = to_uint8(images)
    assert pixels.shape == (1, 2, 5, 3)
    assert pixels[0, 1, 4].tolist() == [0, 128, 255]


def test_bytes_of_a_data_set_are_not_touched():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), np.uint8)
    assert to_uint8(pixels) is pixels


def test_every_byte_survives_the_way_through_a_float():
    pixels = np.arange(256, dtype=np.uint8)
    floats = torch.from_numpy(pixels / 127.5 - 1).view(1, 1, 16, 16)
    assert (to_uint8(floats).reshape(-1) == pixels).all()


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 2, 4, 4), (1, 5, 4, 4), (4,)])
def test_other_shapes_are_refused_by_name(shape):
    with pytest.raises(UsageError, match="cannot be drawn"):
        to_uint8(torch.zeros(shape))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_each_image_lies_in_its_cell_and_gaps_are_white(channels, mode):
    images = torch.linspace(-1, 1, 5).view(5, 1, 1, 1).expand(5, channels, 3, 4)
    sheet = grid(images, columns=3, padding=2)
    assert sheet.mode == mode
    assert sheet.size == (3 * 4 + 2 * 2, 2 * 3 + 2)
    pixels = np.asarray(sheet).reshape(8, 16, -1)
    for index, value in enumerate(to_uint8(images)[:, 0, 0, 0]):
        row, column = divmod(index, 3)
        assert (pixels[row * 5 : row * 5 + 3, column * 6 : column * 6 + 4] == value).all()
    gap = [255] * 3 + [0] if channels == 4 else [255] * channels
    assert pixels[0, 4].tolist() == gap
    assert pixels[3, 0].tolist() == gap
    assert pixels[7, 15].tolist() == gap  # the cell without an image


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (5, 3), (8, 4), (12, 4), (16, 4), (64, 8), (100, 10)])
def test_sheets_are_nearly_square_and_rows_full_where_possible(count, columns):
    assert near_square(count) == columns


@pytest.mark.parametrize("arguments", [{"columns": 0}, {"padding": -1}])
def test_impossible_grids_are_refused(arguments):
    with pytest.raises(UsageError, match="cannot be drawn"):
        grid(torch.zeros(2, 3, 4, 4), **arguments)
    with pytest.raises(UsageError, match="0 images"):
        grid(torch.zeros(0, 3, 4, 4))


def test_saving_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "sheet.png"
    picture = grid(torch.rand(4, 3, 8, 8) * 2 - 1)
    save(picture, path)
    with Image.open(path) as read:
        assert (np.asarray(read) == np.asarray(picture)).all()
    before = path.read_bytes()

    class Interrupted(Image.Image):
        def save(self, draft, **options):
            draft.write_bytes(b"half a pic")
            raise OSError(28, "No space left on device")

    with pytest.raises(DiskError, match="No space left"):
        save(Interrupted(), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]


def test_an_unknown_format_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match=r"sheet\.xyz"):
        save(Image.new("L", (1, 1)), tmp_path / "sheet.xyz")
    assert not list(tmp_path.iterdir())
