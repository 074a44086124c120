"""Ways in which a file can be broken, by accident or on purpose."""

import struct
from collections.abc import Iterator

import numpy as np

EXTREMES = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
# What stands in headers, with where its numbers begin: sizes, counts, rates and durations.
FIELDS = {
    b"tkhd": (20, 74, 78),
    b"mvhd": (12, 16),
    b"mdhd": (12, 16),
    b"stsz": (4, 8, 12),
    b"stts": (4, 8, 12),
    b"stsc": (4, 8),
    b"stco": (4, 8),
    b"elst": (4, 8, 12),
    b"avc1": (24,),
    b"mp4a": (16, 24),
    b"moov": (-4,),
    b"mdat": (-4,),
    b"\x44\x89\x88": (3, 7),  # Matroska: duration
    b"\xb0\x82": (0, 2),  # width
    b"\x2a\xd7\xb1": (0, 3),  # timescale
    b"\x54\xae\x6b": (0, 3),  # tracks
    b"avih": (4, 20, 36),
    b"strh": (24, 28, 36),
    b"IHDR": (4, 8),
    b"GIF89a": (6,),
    b"VP8 ": (4, 10, 14),
    b"\xff\xc0": (2, 5),  # JPEG: size
    b"fmt ": (6, 8, 12, 16),
    b"data": (4,),
    b"fLaC": (4, 18, 22),
    b"Info": (8, 12),
    b"OggS": (6, 26),
    b"OpusHead": (8, 12),
}


def damaged(content: bytes, rng: np.random.Generator, cuts: int, flips: int, swaps: int) -> Iterator[tuple[str, bytes]]:
    """What was done, and the bytes after it."""
    yield "empty", b""
    for size in rng.integers(1, len(content), cuts):
        yield f"cut to {size}", content[:size]
    for number in range(flips):
        changed = bytearray(content)
        # Of half of them in the first kilobyte, where headers are.
        end = min(1024, len(content)) if number % 2 else len(content)
        for place in rng.integers(0, end, rng.integers(1, 9)):
            changed[place] ^= 1 << int(rng.integers(8))
        yield f"flipped {number}", bytes(changed)
    for number in range(swaps):
        size = int(rng.integers(16, len(content) // 4))
        one, other = rng.integers(0, len(content) - size, 2)
        changed = bytearray(content)
        changed[one : one + size], changed[other : other + size] = (
            content[other : other + size],
            content[one : one + size],
        )
        yield f"swapped {number}", bytes(changed[: len(content)])


def hostile(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Headers that promise absurd sizes, counts, rates and durations."""
    for name, offsets in FIELDS.items():
        place = content.find(name)
        while place >= 0:
            for offset in offsets:
                for value in EXTREMES:
                    at = place + len(name) + offset if offset >= 0 else place + offset
                    if 0 <= at <= len(content) - 4:
                        changed = bytearray(content)
                        changed[at : at + 4] = struct.pack("<I" if content[:4] == b"RIFF" else ">I", value)
                        yield f"{name!r} at {place} + {offset} is {value}", bytes(changed)
            place = content.find(name, place + 1) if name in (b"mdhd", b"stsz") else -1
