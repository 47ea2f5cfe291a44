"""Sheets: which steps are shown, where, with what label."""

import numpy as np
import pytest
from PIL import Image

from saddlepoint.errors import UsageError
from saddlepoint.pictures.sheets import evenly, evolution_sheet, headed, real_vs_fake, scaled, titled


@pytest.mark.parametrize(
    ("count", "wanted", "places"),
    [(3, 20, [0, 1, 2]), (5, 3, [0, 2, 4]), (100, 2, [0, 99]), (7, 1, [6]), (1, 1, [0])],
)
def test_the_first_and_the_last_are_always_shown(count, wanted, places):
    assert evenly(count, wanted) == places


@pytest.mark.parametrize("count", [21, 40, 399, 1000])
def test_steps_are_spread_evenly_and_none_is_shown_twice(count):
    places = evenly(count, 20)
    assert len(set(places)) == 20
    assert np.ptp(np.diff(places)) <= 1


def frames(count, size=(60, 60)):
    return [(100 * index, Image.new("RGB", size, (0, 255 * index // max(1, count - 1), 128))) for index in range(count)]


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (4, 4, 1), (13, 5, 2), (20, 5, 4), (90, 5, 4)])
def test_rows_are_full_and_end_with_the_last_step(count, columns, rows):
    sheet = evolution_sheet(frames(count))
    assert sheet.size == (columns * 312 - 12, rows * 334 - 12)
    assert sheet.getpixel((sheet.width - 2, sheet.height - 2)) == frames(count)[-1][1].getpixel((0, 0))
    assert sheet.getpixel((298, 320)) == (0, 0, 128)


def test_a_red_box_above_the_picture_tells_the_step_and_hides_nothing():
    sheets = [np.asarray(evolution_sheet([(step, Image.new("RGB", (300, 300), "blue"))])) for step in (1000, 2000)]
    assert tuple(sheets[0][2, 2]) == (214, 32, 32)
    assert (sheets[0][22:] == (0, 0, 255)).all()
    assert (sheets[0][:22] != sheets[1][:22]).any()


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (20, 400), (700, 90)])
def test_any_picture_can_carry_a_label(size):
    sheet = evolution_sheet([(123_456, Image.new("L", size))])
    height = sheet.height - 22
    assert max(sheet.width, height) <= 300
    assert sheet.width / height == pytest.approx(size[0] / size[1], rel=0.05)
    assert sheet.getpixel((0, 0)) == (214, 32, 32)


@pytest.mark.parametrize("arguments", [{"columns": 0}, {"rows": 0}])
def test_no_room_or_no_picture_is_an_error(arguments):
    with pytest.raises(UsageError, match="no evolution"):
        evolution_sheet(frames(3), **arguments)
    with pytest.raises(UsageError, match="of 0 pictures"):
        evolution_sheet([])


def test_real_stands_left_and_fake_right_under_titles():
    sheet = real_vs_fake(Image.new("L", (300, 300), 40), Image.new("RGB", (150, 150), "red"))
    pixels = np.asarray(sheet)
    assert sheet.width > 600
    assert (pixels[-200:, 50:250] == 40).all()
    assert (pixels[-200:, -250:-50] == (255, 0, 0)).all()
    titles = pixels[: sheet.height - 305]
    assert (titles[:, :300] < 128).any()
    assert (titles[:, -300:] < 128).any()


def test_small_pixels_keep_their_edges():
    image = Image.fromarray(np.array([[0, 255]], np.uint8))
    assert np.unique(np.asarray(scaled(image, (8, 4)))).tolist() == [0, 255]


@pytest.mark.parametrize(("count", "columns", "shape"), [(1, 3, (1, 1)), (4, 2, (2, 2)), (5, 3, (3, 2))])
def test_titled_pictures_stand_row_by_row_each_under_its_title(count, columns, shape):
    sheet = titled(
        [(f"number {index}", Image.new("RGB", (60, 48), (0, 50 * index, 9))) for index in range(count)], columns=columns
    )
    assert sheet.size == (shape[0] * 72 - 12, shape[1] * 72)
    for index in range(count):
        row, column = divmod(index, columns)
        assert sheet.getpixel((72 * column + 30, 72 * row + 40)) == (0, 50 * index, 9)
        title = np.asarray(sheet.crop((72 * column, 72 * row, 72 * column + 60, 72 * row + 24)))
        assert title.min() < 100, "nothing is written above it"


@pytest.mark.parametrize(("count", "columns"), [(0, 2), (2, 0)])
def test_no_sheet_of_nothing_or_nowhere(count, columns):
    with pytest.raises(UsageError, match=r"no sheet can be made"):
        titled([("one", Image.new("RGB", (8, 8)))] * count, columns=columns)


def test_words_stand_above_columns_and_beside_rows():
    images = np.zeros((6, 28, 28, 1), np.uint8)
    plain = headed(images, columns=3)
    assert plain.size == (3 * 28 + 4, 2 * 28 + 2)
    both = np.asarray(headed(images, columns=3, heads=("a", "", "b"), names=("first", "second")).convert("L"))
    grid = 2 * np.array(plain.size)
    top, left = both.shape[0] - grid[1], both.shape[1] - grid[0]
    assert top > 0
    assert left > 0
    assert both[top + 1, left + 1] == 0, "enlarged twice, without a blur"
    assert both[:top, left : left + 56].min() < 100, "above the first column"
    assert both[:top, left + 60 : left + 116].min() == 255, "nothing above the second"
    assert both[:top, left + 120 :].min() < 100
    assert both[top : top + 56, :left].min() < 100
    assert both[top + 60 :, :left].min() < 100


def test_long_words_are_cut():
    images = np.zeros((4, 28, 28, 3), np.uint8)
    heads = ("a very long name of a class", "another one")
    sheet = headed(images, columns=2, heads=heads, names=("x" * 400, "y"))
    assert sheet.width < 600
