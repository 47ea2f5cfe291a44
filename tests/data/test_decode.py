"""The one door for foreign bytes: the zoo of odd pictures, each with its right outcome, and mutations of them all."""

import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from saddlepoint.data.decode import Decoded, calm, decode, decode_array
from saddlepoint.data.policy import Policy
from saddlepoint.data.report import Reason, Skip


@pytest.fixture(autouse=True)
def quiet():
    with calm():
        yield


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes = b"", depth: int = 8, color: int = 2, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def reason(data: bytes, policy: Policy | None = None, **wanted) -> Reason:
    found = decode(data, policy or Policy(), **wanted)
    assert isinstance(found, Skip), found
    return found.reason


def good(data: bytes, policy: Policy | None = None, **wanted) -> Decoded:
    found = decode(data, policy or Policy(), **wanted)
    assert isinstance(found, Decoded), found
    assert found.pixels.dtype == np.uint8
    assert found.pixels.ndim == 3
    return found


@pytest.mark.parametrize("data", [b"", b"\x89", b"hello, world", b"<html>404</html>"])
def test_what_is_no_picture_is_skipped(data):
    assert reason(data) == Reason.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (b"\0\0\0\x18ftypavif" + bytes(40), "AVIF"),
        (b"8BPS" + bytes(40), "PSD"),
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
    ],
)
def test_formats_that_are_not_read_are_named(data, name):
    assert decode(data, Policy()) == Skip(Reason.FORMAT, name)


def test_truncated_pictures_are_skipped_not_filled_with_gray(draw, encode):
    whole = draw(64, 64)
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
        data = encode(whole, form)
        assert reason(data[: len(data) // 2]) in (Reason.TRUNCATED, Reason.DAMAGED), form
    assert reason(encode(whole, "PNG")[:-400]) == Reason.TRUNCATED
    assert reason(encode(whole, "JPEG")[:-1]) == Reason.TRUNCATED


def test_a_png_that_lost_only_its_end_mark_is_complete(draw, encode):
    data = encode(draw())
    found = good(data[:-12])
    assert found.notes == ("minor damage",)
    assert (found.pixels == good(data).pixels).all()
    assert good(data).notes == ()


def test_a_flipped_bit_in_a_png_is_found(draw, encode):
    data = bytearray(encode(draw()))
    data[data.index(b"IDAT") + 30] ^= 4
    assert reason(bytes(data)) in (Reason.DAMAGED, Reason.TRUNCATED)


def test_gray_modes_stay_gray_and_become_what_is_asked(draw, encode):
    for mode in ("L", "1"):
        found = good(encode(draw(mode=mode)))
        assert (found.pixels.shape, found.channels) == ((24, 24, 1), 1)
    gray = good(encode(draw(mode="L")), channels=3)
    assert (gray.pixels[..., :1] == gray.pixels).all()
    assert gray.channels == 1
    assert good(encode(draw()), channels=1).pixels.shape == (24, 24, 1)
    opaque = good(encode(draw()), channels=4).pixels
    assert (opaque[..., 3] == 255).all()


def test_palettes_are_resolved(draw, encode):
    image = draw().quantize(16)
    assert (good(encode(image)).pixels == np.array(image.convert("RGB"))).all()


def test_hidden_colors_under_transparency_never_show(draw, encode):
    image = draw()
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 12, 24))
    image.putalpha(alpha)
    found = good(encode(image))
    assert found.notes == ("transparency composited",)
    assert (found.pixels[:, :12] == 255).all()
    assert (found.pixels[:, 12:] == np.array(draw())[:, 12:]).all()
    red = good(encode(image), Policy(background=(255, 0, 0))).pixels
    assert (red[:, :12] == (255, 0, 0)).all()
    kept = good(encode(image), channels=4)
    assert (kept.pixels == np.array(image)).all()
    assert kept.notes == ()


def test_gray_with_alpha_and_transparent_palettes_are_composited(draw, encode):
    image = draw(mode="LA")
    image.putpixel((3, 5), (0, 0))
    found = good(encode(image))
    assert found.pixels.shape == (24, 24, 1)
    assert found.pixels[5, 3, 0] == 255
    tinted = good(encode(image), Policy(background=(0, 0, 255))).pixels
    assert tuple(tinted[5, 3]) == (0, 0, 255)
    palette = draw().quantize(16)
    index = palette.getpixel((0, 0))
    found = good(encode(palette, transparency=index))
    assert tuple(found.pixels[0, 0]) == (255, 255, 255)
    keyed = good(encode(draw(mode="L"), transparency=draw(mode="L").getpixel((0, 0))))
    assert keyed.pixels[0, 0, 0] == 255


def test_an_all_transparent_picture_is_skipped(encode):
    data = encode(Image.new("RGBA", (16, 16), (9, 9, 9, 0)))
    assert reason(data) == reason(data, channels=4) == Reason.TRANSPARENT


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_are_scaled_not_clipped(encode, form):
    deep = (np.arange(32 * 32, dtype=np.uint16) * 64).reshape(32, 32)
    found = good(encode(Image.fromarray(deep), form))
    assert found.notes == ("16 bits scaled to 8",)
    assert np.abs(found.pixels[..., 0] - deep / 257).max() <= 0.5
    assert good(encode(Image.fromarray(np.full((16, 16), 65535, np.uint16)), form)).pixels.min() == 255


def test_48_bit_color_is_accepted(encode):
    rows = b"".join(b"\0" + struct.pack(">HHH", 0x1234, 0x8000, 0xFFFF) * 9 for _ in range(9))
    assert tuple(good(png(9, 9, rows, depth=16)).pixels[0, 0]) == (0x12, 0x80, 0xFF)


def test_float_pixels_are_skipped_or_scaled_by_the_policy(encode):
    ramp = np.linspace(-3, 5, 256, dtype=np.float32).reshape(16, 16)
    data = encode(Image.fromarray(ramp), "TIFF")
    assert reason(data) == Reason.RANGE
    scaled = good(data, Policy(floats="scale"))
    assert scaled.notes == ("scaled to its own extremes",)
    assert (scaled.pixels.min(), scaled.pixels.max()) == (0, 255)
    ramp[3, 3] = np.nan
    assert reason(encode(Image.fromarray(ramp), "TIFF"), Policy(floats="scale")) == Reason.RANGE


@pytest.mark.parametrize("adobe", [False, True])
def test_cmyk_keeps_its_colors(draw, encode, adobe):
    image = draw(64, 64).convert("CMYK")
    # Pillow writes JPEG with Adobe's mark and inverted values, as Photoshop does.
    data = encode(image, "JPEG", quality=95) if adobe else encode(image, "TIFF")
    assert (b"Adobe" in data) == adobe
    found = good(data)
    assert found.notes == ("CMYK to RGB",)
    assert np.abs(found.pixels.astype(int) - np.array(draw(64, 64))).mean() < 4


def test_lab_and_ycbcr_become_rgb(draw, encode):
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = good(encode(ImageCms.applyTransform(draw(), to_lab), "TIFF"))
    assert lab.notes == ("LAB to RGB",)
    assert np.abs(lab.pixels.astype(int) - np.array(draw())).mean() < 4
    assert np.abs(good(encode(draw(mode="YCbCr"), "TIFF")).pixels.astype(int) - np.array(draw())).mean() < 4


def test_a_damaged_color_profile_is_ignored(draw, encode):
    found = good(encode(draw(), icc_profile=b"junk" * 40))
    assert found.notes == ("damaged color profile ignored",)
    assert (found.pixels == np.array(draw())).all()


def test_srgb_profiles_change_nothing_and_others_are_converted(draw, encode):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert good(encode(draw(), icc_profile=srgb)).notes == ()
    wide = wide_gamut()
    found = good(encode(draw(), icc_profile=wide))
    assert found.notes == ("color profile converted",)
    assert np.abs(found.pixels.astype(int) - np.array(draw())).max() > 10
    clear = draw(mode="RGBA")
    clear.putalpha(77)
    kept = good(encode(clear, icc_profile=wide), channels=4)
    assert (kept.pixels[..., 3] == 77).all()
    assert (kept.pixels[..., :3] == found.pixels).all()


def wide_gamut() -> bytes:
    """An ICC profile whose red primary is the green one of sRGB and vice versa: a change no test can miss."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = struct.unpack(">I", data[128:132])[0]
    where = {bytes(data[132 + 12 * i : 136 + 12 * i]): 136 + 12 * i for i in range(tags)}
    red, green = where[b"rXYZ"], where[b"gXYZ"]
    data[red : red + 8], data[green : green + 8] = data[green : green + 8], data[red : red + 8]
    offset, length = struct.unpack(">II", data[where[b"desc"] : where[b"desc"] + 8])
    name = "wide".encode("utf-16-be").ljust(length - 28, b"\0")
    data[offset + 28 : offset + length] = name[: length - 28]
    return bytes(data)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_eight_exif_orientations_stand_upright(draw, encode, form):
    upright = draw(40, 24)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    settings = {"quality": 100, "subsampling": 0} if form == "JPEG" else {"lossless": True} if form == "WEBP" else {}
    for orientation in range(1, 9):
        stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
        exif = Image.Exif()
        exif[0x0112] = orientation
        found = good(encode(stored, form, exif=exif, **settings))
        assert found.size == (40, 24), (form, orientation)
        assert np.abs(found.pixels.astype(int) - np.array(upright)).max() <= (4 if form == "JPEG" else 0)
        assert good(encode(stored, form, exif=exif, **settings), size=(12, 20)).size == (40, 24)


def test_damaged_exif_is_no_reason_to_lose_a_picture(draw, encode):
    assert good(encode(draw(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).pixels.shape == (24, 24, 3)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_animations_the_first_frame_is_used_and_counted(draw, encode, form):
    frames = [draw(seed=seed) for seed in range(3)]
    settings = {"lossless": True} if form == "WEBP" else {}
    found = good(encode(frames[0], form, save_all=True, append_images=frames[1:], **settings))
    assert "first of several frames" in found.notes
    assert np.abs(found.pixels.astype(int) - np.array(frames[0])).mean() < 8


def test_pictures_below_the_least_side_are_skipped(encode):
    assert reason(encode(Image.new("RGB", (1, 1)))) == Reason.TOO_SMALL
    assert reason(encode(Image.new("RGB", (1, 4096)))) == Reason.TOO_SMALL
    assert good(encode(Image.new("RGB", (4, 4))), Policy(min_side=4)).size == (4, 4)


def test_constant_pictures_are_told(draw, encode):
    assert good(encode(Image.new("RGB", (16, 16), (1, 2, 3)))).constant
    assert not good(encode(draw())).constant


BOMBS = {
    "900 megapixels": png(30_000, 30_000),
    "largest dimensions": png(2**31 - 1, 2**31 - 1),
    "100 megapixels, where Pillow only warns": png(10_000, 10_000),
    "no dimensions": png(0, 0),
    "70 MB of text": png(9, 9, bytes(9 * 28), extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70 << 20)))),
    "GIF screen": b"GIF89a\xff\xff\xff\xff\0\0\0" + b",\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_neither_time_nor_memory(name):
    started = time.perf_counter()
    found = reason(BOMBS[name])
    assert time.perf_counter() - started < 1
    assert found in (Reason.TOO_LARGE, Reason.DAMAGED, Reason.NOT_AN_IMAGE, Reason.TRUNCATED)
    if "megapixels" in name or "largest" in name:
        assert found == Reason.TOO_LARGE


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own address space")
def test_all_bombs_fit_in_little_memory(tmp_path):
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from saddlepoint.data.decode import calm, decode; from saddlepoint.data.policy import Policy\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "decode(b'', Policy()); before = peak()\n"
        "with calm():\n"
        "    for path in sys.argv[1:]: decode(Path(path).read_bytes(), Policy())\n"
        "print(peak() - before)\n"
    )
    paths = [tmp_path / f"{number}.png" for number in range(len(BOMBS))]
    for path, data in zip(paths, BOMBS.values(), strict=True):
        path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300  # MB


def test_the_ceiling_is_the_policy(draw, encode):
    data = encode(draw(40, 25))
    assert good(data, Policy(max_pixels=1000))
    assert reason(data, Policy(max_pixels=999)) == Reason.TOO_LARGE


def test_large_jpegs_are_measured_at_their_own_size(draw, encode):
    found = good(encode(draw(900, 600), "JPEG"), size=(32, 48))
    assert (found.size, found.pixels.shape) == ((900, 600), (32, 48, 3))
    exact = good(encode(draw(900, 600)), size=(32, 48))
    assert np.abs(found.pixels.astype(int) - exact.pixels).mean() < 3


def test_arrays_go_through_the_same_door(draw):
    pixels = np.array(draw(30, 20))
    found = decode_array(pixels, Policy(), size=(10, 15), channels=1)
    assert isinstance(found, Decoded)
    assert (found.pixels.shape, found.size) == ((10, 15, 1), (30, 20))
    assert decode_array(pixels[:5], Policy()) == Skip(Reason.TOO_SMALL, "30x5")


def test_mutations_have_only_two_outcomes(draw, encode):
    """Ten seeds, bytes flipped, cut, doubled and spliced: pixels or a reason, in time, and never another exception."""
    image, clear = draw(16, 16), draw(16, 16, mode="RGBA")
    clear.putalpha(99)
    exif = Image.Exif()
    exif[0x0112] = 6
    seeds = [
        encode(image), encode(image, "JPEG", exif=exif), encode(image, "WEBP"), encode(image, "BMP"),
        encode(image, "TIFF"), encode(image, "GIF", save_all=True, append_images=[clear]), encode(clear),
        encode(image.quantize(8), transparency=1), encode(image.convert("CMYK"), "JPEG"),
        encode(image, "TIFF", compression="tiff_lzw"),
    ]  # fmt: skip
    random = np.random.default_rng(7)
    decoded = 0
    for case in range(3000):
        data = bytearray(seeds[case % len(seeds)])
        for _ in range(random.integers(1, 5)):
            at = int(random.integers(len(data)))
            kind = random.integers(4)
            if kind == 0:
                data[at] = random.integers(256)
            elif kind == 1:
                del data[at : at + int(random.integers(1, 40))]
            elif kind == 2:
                data[at:at] = data[: int(random.integers(40))]
            else:
                data[at : at + 4] = random.bytes(4)
            data = data or bytearray(b"x")
        started = time.perf_counter()
        found = decode(bytes(data), Policy(max_pixels=1_000_000), size=(8, 8), channels=3)
        assert time.perf_counter() - started < 1
        if isinstance(found, Decoded):
            decoded += 1
            assert found.pixels.shape == (8, 8, 3)
            assert found.pixels.dtype == np.uint8
        else:
            assert isinstance(found, Skip)
            assert found.detail.isprintable()
    assert 150 < decoded < 2850  # the mutations are neither harmless nor hopeless
