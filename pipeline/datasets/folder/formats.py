"""What a file is, by the ending of its name; whether that is true is found out when it is opened."""

from pathlib import PurePath
from typing import Literal

Medium = Literal["image", "video", "audio"]

VIDEO = (
    *("3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "m2ts", "m2v", "m4v", "mjpeg", "mkv", "mov", "mp4"),
    *("mpe", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob", "webm", "wmv", "y4m"),
)
IMAGE = ("bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "tga", "tif", "tiff", "webp")
AUDIO = (
    *("aac", "ac3", "aif", "aifc", "aiff", "amr", "au", "caf", "flac", "m4a", "mka", "mp2", "mp3", "oga", "ogg"),
    *("opus", "wav", "weba", "wma"),
)
MEDIA: dict[Medium, tuple[str, ...]] = {"image": IMAGE, "video": VIDEO, "audio": AUDIO}


def medium_of(path: PurePath) -> Medium | None:
    """None for what is no medium: a text file, say."""
    ending = path.suffix.lower().removeprefix(".")
    return next((medium for medium, endings in MEDIA.items() if ending in endings), None)
