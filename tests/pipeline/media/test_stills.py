"""Stills of every common kind come out as RGB, upright; what is too large has a reason before it is decoded."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.media.kinds import kind_of
from pipeline.media.stills import read_still
from pipeline.media.unusable import Unusable
from pipeline.media.windows import windows
from tests.pipeline.media.test_clock import STORE

RED = (200, 30, 40)


def picture(mode: str = "RGB") -> Image.Image:
    """64 x 48: red, the top left quarter grey."""
    image = Image.new("RGB", (64, 48), RED)
    image.paste((90, 90, 90), (0, 0, 32, 24))
    return image.quantize() if mode == "P" else image.convert(mode)


def read(path: Path) -> np.ndarray:
    return read_still(path, kind_of(path), 32, 1_000_000)[0]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(("still.png", mode) for mode in ("RGB", "P", "RGBA")),
        *(("still.jpg", mode) for mode in ("RGB", "CMYK")),
        *(("still.webp", mode) for mode in ("RGB", "RGBA")),
        *(("still.gif", mode) for mode in ("RGB", "P")),
        *(("still.tif", mode) for mode in ("RGB", "CMYK")),
        ("still.bmp", "RGB"),
    ],
)
def test_colours_are_those_of_the_picture(tmp_path: Path, name: str, mode: str) -> None:
    path = tmp_path / name
    options = {"lossless": True} if name.endswith("webp") else {"quality": 95} if name.endswith("jpg") else {}
    picture(mode).save(path, **options)
    made = read(path)
    assert made.shape == (48, 64, 3)
    assert made.dtype == np.uint8
    np.testing.assert_allclose(made[40, 50], RED, atol=6)
    np.testing.assert_allclose(made[6, 8], (90, 90, 90), atol=6)


@pytest.mark.parametrize("mode", ["L", "1", "LA", "I;16"])
def test_grey_has_three_equal_channels(tmp_path: Path, mode: str) -> None:
    values = np.tile(np.array([0, 128, 255], np.uint16), (9, 3))
    if mode == "I;16":
        Image.fromarray(values * 257).save(tmp_path / "grey.png")
    else:
        Image.fromarray(values.astype(np.uint8)).convert(mode).save(tmp_path / "grey.png")
    made = read(tmp_path / "grey.png")
    assert (made == made[..., :1]).all()
    assert made[0, 0, 0] == 0
    assert made[0, 2, 0] == 255
    if mode != "1":
        assert made[0, 1, 0] == 128


def test_sixteen_bits_of_colour_become_eight(tmp_path: Path) -> None:
    """Pillow writes none, so the file is put together by hand."""
    line = b"\0" + struct.pack(">6H", *(257 * value for value in (*RED, 0, 128, 255)))
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(line)), (b"IEND", b""))
    content = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    np.testing.assert_array_equal(read(tmp_path / "deep.png"), [[RED, (0, 128, 255)]])


@pytest.mark.parametrize("name", ["glass.png", "glass.webp", "glass.gif"])
def test_what_is_transparent_lies_on_white(tmp_path: Path, name: str) -> None:
    image = picture("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 32, 24))
    image.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    made = read(tmp_path / name)
    assert (made[6, 8] == 255).all()
    np.testing.assert_allclose(made[40, 50], RED, atol=6)


def test_half_transparent_is_half_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 128)).save(tmp_path / "half.png")
    np.testing.assert_allclose(read(tmp_path / "half.png"), 127, atol=1)


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.webp"])
def test_a_turned_picture_is_set_upright(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture().save(tmp_path / name, exif=exif, quality=95)
    made = read(tmp_path / name)
    assert made.shape == (64, 48, 3)
    np.testing.assert_allclose(made[8, 40], (90, 90, 90), atol=8)
    np.testing.assert_allclose(made[8, 6], RED, atol=8)


def test_an_animation_is_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("white", "black", "red")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert (read(tmp_path / "moving.gif") == 255).all()


def test_a_huge_picture_is_left_out_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (12_000, 12_000)).save(tmp_path / "huge.png")
    with pytest.raises(Unusable, match=r"is a picture of 12000 x 12000 px, more than the 1000000 of store\.max_pixels"):
        read(tmp_path / "huge.png")


def test_a_large_photograph_is_decoded_small(tmp_path: Path) -> None:
    picture().resize((2048, 1536)).save(tmp_path / "photograph.jpg", quality=90)
    made, *size = read_still(tmp_path / "photograph.jpg", kind_of(tmp_path / "photograph.jpg"), 32, 10_000_000)
    assert size == [2048, 1536]
    assert made.shape == (192, 256, 3)
    np.testing.assert_allclose(made[160, 200], RED, atol=8)


def test_a_still_is_a_row_of_one_frame_with_the_size_of_its_file(tmp_path: Path) -> None:
    picture().resize((640, 480)).save(tmp_path / "still.jpg", quality=90)
    [(facts, streams)] = windows(tmp_path / "still.jpg", "image", STORE)
    assert facts == {"start": 0.0, "end": 0.0, "frame_times": [0.0], "width": 640, "height": 480}
    assert {name: array.shape for name, array in streams.items()} == {
        "frames": (1, 32, 32, 3),
        "sound": (0,),
        "spectrogram": (0, 257),
        "flow": (0, 16, 16, 2),
        "motion": (0,),
    }


def test_a_reason_names_no_path(tmp_path: Path) -> None:
    """Reasons stand in tables whose hashes others depend on: the same file has the same one wherever it lies."""
    path = tmp_path / "torn.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 200)
    with pytest.raises(Unusable, match=r"^is no picture of type JPEG, though it begins like one$"):
        list(windows(path, "image", STORE))
