"""Any shape to one shape."""

import numpy as np
import pytest
from PIL import Image

from saddlepoint.data.decode import decode
from saddlepoint.data.fit import fit
from saddlepoint.data.policy import Policy
from saddlepoint.data.report import Reason, Skip


@pytest.mark.parametrize("crop", ["center", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(64, 64), (1, 200), (200, 1), (33, 17), (8000, 50), (20, 500)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_every_shape_becomes_the_asked_one(crop, shape, mode):
    image = Image.new(mode, shape, 0)
    assert fit(image, (24, 16), Policy(crop=crop)).size == (16, 24)


def test_a_picture_of_the_asked_size_is_not_touched(draw):
    assert (np.array(fit(draw(20, 30), (30, 20), Policy())) == np.array(draw(20, 30))).all()


def test_center_keeps_the_middle():
    stripes = np.zeros((30, 90, 3), np.uint8)
    stripes[:, 30:60] = 200
    for image in (stripes, stripes.transpose(1, 0, 2)):
        found = np.array(fit(Image.fromarray(image), (10, 10), Policy()))
        assert (found[2:-2, 2:-2] == 200).all()  # at the cut, the kernel sees a little of what is cut off
        assert found.min() > 150


def test_center_equals_scaling_the_shorter_side_and_cutting(draw):
    image = draw(90, 60)
    scaled = image.resize((30, 20), Image.Resampling.BICUBIC).crop((5, 0, 25, 20))
    assert np.abs(np.array(fit(image, (20, 20), Policy())).astype(int) - np.array(scaled)).max() <= 2


def test_shrinking_does_not_alias():
    checkers = np.indices((256, 256)).sum(0) % 2 * 255
    found = np.array(fit(Image.fromarray(checkers.astype(np.uint8)), (16, 16), Policy()))
    assert np.abs(found.astype(int) - 127).max() <= 2


def test_pad_shows_everything_on_the_background():
    found = np.array(fit(Image.new("RGB", (40, 20), (9, 9, 9)), (20, 20), Policy(crop="pad", background=(250, 0, 0))))
    assert (found[5:15] == 9).all()
    assert (found[:5] == (250, 0, 0)).all()
    assert (found[15:] == (250, 0, 0)).all()
    clear = np.array(fit(Image.new("RGBA", (40, 20), (9, 9, 9, 255)), (20, 20), Policy(crop="pad")))
    assert (clear[:5, :, 3] == 0).all()
    assert (clear[5:15, :, 3] == 255).all()


def test_stop_refuses_another_aspect_ratio_only(draw, encode):
    policy = Policy(crop="stop")
    wide = decode(encode(draw(41, 20)), policy, size=(10, 20))
    assert wide == Skip(Reason.SHAPE, "41x20 for 20x10")
    assert not isinstance(decode(encode(draw(40, 20)), policy, size=(10, 20)), Skip)
    jpeg = encode(draw(1003, 501), "JPEG")  # decoded at a fraction of its size, which rounds to the asked ratio
    assert isinstance(decode(jpeg, policy, size=(10, 20)), Skip)


def test_hidden_colors_do_not_bleed_into_visible_ones():
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (255, 0, 0, 255)
    pixels[:, 16:] = (0, 255, 0, 0)
    found = np.array(fit(Image.fromarray(pixels), (8, 8), Policy()))
    visible = found[..., 3] > 8
    assert (found[visible][:, 1] <= 8).all()
