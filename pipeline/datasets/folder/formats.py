"""What a file is, by the ending of its name; whether that is true is found out when it is opened.

The only list of endings: `pipeline.media.kinds` has how files of each type are known and read.
"""

from pathlib import PurePath
from typing import Literal

Medium = Literal["image", "video", "audio"]

ENDINGS: dict[Medium, dict[str, tuple[str, ...]]] = {
    "image": {
        "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
        "PNG": ("png",),
        "WebP": ("webp",),
        "GIF": ("gif",),
        "BMP": ("bmp",),
        "TIFF": ("tif", "tiff"),
        "PNM": ("ppm", "pgm", "pbm", "pnm"),
    },
    "video": {
        "MP4": ("mp4", "mov", "m4v", "qt", "f4v", "3gp", "3g2"),
        "Matroska": ("mkv", "webm"),
        "AVI": ("avi", "divx"),
        "MPEG-TS": ("ts", "mts", "m2ts"),
        "MPEG": ("mpg", "mpeg", "mpe", "vob"),
        "ASF": ("wmv", "asf"),
        "FLV": ("flv",),
        "Ogg": ("ogv",),
        "YUV4MPEG": ("y4m",),
    },
    "audio": {
        "WAV": ("wav", "wave"),
        "FLAC": ("flac",),
        "MP3": ("mp3", "mp2"),
        "Ogg": ("ogg", "oga", "opus"),
        "MP4": ("m4a", "m4b"),
        "AAC": ("aac",),
        "AIFF": ("aif", "aiff", "aifc"),
        "AU": ("au", "snd"),
        "CAF": ("caf",),
        "ASF": ("wma",),
        "Matroska": ("mka", "weba"),
    },
}
"""By medium and type."""


def _said(path: PurePath) -> tuple[Medium, str] | tuple[None, None]:
    ending = path.suffix.lower().removeprefix(".")
    found = ((medium, name) for medium, types in ENDINGS.items() for name, ends in types.items() if ending in ends)
    return next(found, (None, None))


def medium_of(path: PurePath) -> Medium | None:
    """None for what is no medium: a text file, say."""
    return _said(path)[0]


def type_of(path: PurePath) -> str | None:
    """A key of `pipeline.media.kinds.KINDS`."""
    return _said(path)[1]
