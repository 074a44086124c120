"""What type a file is, by its first bytes, and whether its name says the same.

Nothing is handed to a decoder whose type is not known here: left to guess, FFmpeg would also take play lists, which
name other files and addresses.
"""

import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.datasets.folder.formats import type_of
from pipeline.media.unusable import Unusable

HEAD = 512  # bytes that are looked at
ID3 = 10  # bytes of the header of a tag, which may stand before MP3, AAC and FLAC


@dataclass(frozen=True)
class Kind:
    """demuxer: FFmpeg's name of a container; still: Pillow's of a format of pictures."""

    name: str
    demuxer: str | None = None
    still: str | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Kind("MP4", demuxer="mov"),
        Kind("Matroska", demuxer="matroska"),
        Kind("AVI", demuxer="avi"),
        Kind("MPEG-TS", demuxer="mpegts"),
        Kind("MPEG", demuxer="mpeg"),
        Kind("ASF", demuxer="asf"),
        Kind("FLV", demuxer="flv"),
        Kind("Ogg", demuxer="ogg"),
        Kind("WAV", demuxer="wav"),
        Kind("AIFF", demuxer="aiff"),
        Kind("FLAC", demuxer="flac"),
        Kind("MP3", demuxer="mp3"),
        Kind("AAC", demuxer="aac"),
        Kind("AU", demuxer="au"),
        Kind("CAF", demuxer="caf"),
        Kind("YUV4MPEG", demuxer="yuv4mpegpipe"),
        Kind("GIF", demuxer="gif", still="GIF"),
        Kind("JPEG", still="JPEG"),
        Kind("PNG", still="PNG"),
        Kind("WebP", still="WEBP"),
        Kind("BMP", still="BMP"),
        Kind("TIFF", still="TIFF"),
        Kind("PNM", still="PPM"),
    )
}

MAGIC = (
    (b"\x1a\x45\xdf\xa3", "Matroska"),
    (b"\x00\x00\x01\xba", "MPEG"),
    (b"\x30\x26\xb2\x75", "ASF"),
    (b"FLV\x01", "FLV"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b".snd", "AU"),
    (b"caff", "CAF"),
    (b"YUV4MPEG2 ", "YUV4MPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    *((b"P%d" % number, "PNM") for number in range(1, 7)),
)
BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")  # that an MP4 file may begin with
FORMS = {  # of the containers that begin with a length
    (b"RIFF", b"AVI "): "AVI",
    (b"RIFF", b"WAVE"): "WAV",
    (b"RF64", b"WAVE"): "WAV",
    (b"RIFF", b"WEBP"): "WebP",
    (b"FORM", b"AIFF"): "AIFF",
    (b"FORM", b"AIFC"): "AIFF",
}


def kind_of(path: Path) -> Kind:
    """Raises Unusable for what is no file, is empty, has no type known here or is not what its name says; OSError for
    what cannot be read."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("is no regular file")
    if not status.st_size:
        raise Unusable("is empty")
    with path.open("rb") as file:
        head = file.read(HEAD)
        if tagged := after_tag(head):
            file.seek(tagged)
            head = file.read(HEAD)
    kind = KINDS.get(_name_of(head) or ("MP3" if tagged else ""))
    if kind is None:
        raise Unusable("is of no type that is known here")
    said = type_of(path)
    if said not in (None, kind.name):
        raise Unusable(f"is of type {kind.name}, not {said} as its name says")
    return kind


def after_tag(head: bytes) -> int:
    """Where the data begins after an ID3 tag, 0 without one: its length stands in four bytes of seven bits."""
    if not head.startswith(b"ID3") or len(head) < ID3:
        return 0
    return ID3 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _name_of(head: bytes) -> str | None:
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if head[4:8] in BOXES:
        return "MP4"
    if (head[:4], head[8:12]) in FORMS:
        return FORMS[head[:4], head[8:12]]
    for first, packet in ((0, 188), (4, 192)):
        if head[first : first + 1] == head[first + packet : first + packet + 1] == b"\x47":
            return "MPEG-TS"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # MPEG audio: two bits name the layer, 0 in AAC.
        return "MP3" if head[1] & 0x06 else "AAC"
    return None
