"""Stills, by Pillow: the first frame of any of its common formats as RGB."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.media.kinds import Kind
from pipeline.media.unusable import Unusable

SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)  # of EXIF: what is turned by a quarter
TRANSPARENT = ("RGBA", "RGBa", "LA", "La", "PA")


def check_still(width: int, height: int, max_pixels: int) -> None:
    """Raises Unusable for a picture of too many pixels."""
    if width * height > max_pixels:
        raise Unusable(f"is a picture of {width} x {height} px, more than the {max_pixels} of store.max_pixels")


def read_still(path: Path, kind: Kind, side: int, max_pixels: int) -> tuple[np.ndarray, int, int]:
    """(h, w, 3) uint8, upright as its EXIF data has it, with transparency laid over white; the file's width and height.

    16 bits become 8 by dropping the lower ones, ink (CMYK) becomes light without a colour profile. JPEG is decoded at
    the smallest of its own fractions that leaves the shorter side twice `side`. Raises Unusable for what is larger than
    `max_pixels`, and whatever Pillow raises for a damaged file.
    """
    if kind.still is None:
        raise Unusable(f"is of type {kind.name}, which is no still")
    # The limit that matters is ours, and holds before anything is decoded.
    Image.MAX_IMAGE_PIXELS = None
    try:
        opened = Image.open(path, formats=[kind.still])
    except UnidentifiedImageError:
        # Pillow's own words name the file by a path that may differ from run to run.
        raise Unusable(f"is no picture of type {kind.name}, though it begins like one") from None
    with opened as image:
        width, height = image.size
        check_still(width, height, max_pixels)
        if kind.still == "JPEG":
            image.draft(None, (2 * side, 2 * side))
        image.load()
        exif = image.getexif()
        made = np.asarray(ImageOps.exif_transpose(_as_rgb(image, dict(exif))))
        return (made, height, width) if exif.get(ORIENTATION, 1) in LYING else (made, width, height)


def _as_rgb(image: Image.Image, exif: dict[int, object]) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        # A picture of mode I holds 32 bits, of which PNG's grey fills 16.
        values = np.asarray(image).astype(np.int64)
        made = Image.fromarray(np.clip(values >> 8, 0, 255).astype(np.uint8)).convert("RGB")
    elif image.mode == "F":
        raise Unusable("holds floating-point numbers, which are no colours")
    elif image.mode in TRANSPARENT or "transparency" in image.info:
        layer = image.convert("RGBA")
        made = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    else:
        made = image.convert("RGB")
    made.getexif().update(exif)
    return made
