"""What is known of a clip as rows of tables: objects, joints and camera of every frame, and the clip's own facts."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.datasets.toyworld.classes import FAMILIES
from pipeline.datasets.toyworld.figure import JOINTS
from pipeline.datasets.toyworld.scene import Picture

_BOX = ("left", "top", "right", "bottom")
_MATRIX = ("m00", "m01", "m02", "m10", "m11", "m12")
_KEY = [("id", pa.string()), ("frame", pa.int32())]

SCHEMAS: dict[str, pa.Schema] = {
    # width, height: px of the frame. mask: lengths of runs over its pixels, row by row, of what is not seen of it and
    # what is, by turns, beginning with what is not; they add up to the number of pixels.
    "objects": pa.schema(
        [
            *_KEY,
            ("instance", pa.int32()),
            ("label", pa.string()),
            ("role", pa.string()),
            ("sounding", pa.bool_()),
            *((name, pa.float32()) for name in _BOX),
            ("visible", pa.float32()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("mask", pa.list_(pa.int32())),
        ]
    ),
    "joints": pa.schema(
        [*_KEY, ("joint", pa.string()), ("x", pa.float32()), ("y", pa.float32()), ("visible", pa.bool_())]
    ),
    "clips": pa.schema(
        [
            ("id", pa.string()),
            ("action", pa.string()),
            ("object", pa.string()),
            ("family", pa.string()),
            ("sounding", pa.string()),
            ("hard", pa.bool_()),
            ("onsets", pa.list_(pa.float64())),
            ("event", pa.string()),
            ("action_start", pa.float64()),
            ("action_end", pa.float64()),
        ]
    ),
    # The 2x3 matrix, row by row, from the world's coordinates, centred on the background's middle, to the frame's.
    "camera": pa.schema([*_KEY, *((name, pa.float32()) for name in _MATRIX)]),
}

_FAMILY = {name: family for family, members in FAMILIES.items() for name in members}


def tables_of(
    clip: str, picture: Picture, onsets: NDArray[np.float64], labels: dict[str, str], hard: bool
) -> dict[str, pa.RecordBatch]:
    """The rows of one clip. clip: its id; onsets: seconds; labels: action, object and sounding."""
    count, number = picture.visible.shape
    facts = {
        "id": clip,
        **labels,
        "family": _FAMILY[labels["object"]],
        "hard": hard,
        "onsets": onsets.tolist(),
        "event": picture.event,
        "action_start": picture.start,
        "action_end": picture.end,
    }
    rows: dict[str, dict[str, Any]] = {
        "objects": {
            "id": [clip] * (count * number),
            "frame": np.repeat(np.arange(count), number),
            "instance": np.tile(np.arange(number), count),
            "label": [thing.label for thing in picture.things] * count,
            "role": [thing.role for thing in picture.things] * count,
            "sounding": [thing.sounding for thing in picture.things] * count,
            **dict(zip(_BOX, np.moveaxis(picture.boxes.reshape(-1, 4), 1, 0), strict=True)),
            "visible": picture.visible.ravel(),
            "width": [picture.frames.shape[2]] * (count * number),
            "height": [picture.frames.shape[1]] * (count * number),
            "mask": _masks(picture.instances, number),
        },
        "joints": {
            "id": [clip] * (count * len(JOINTS)),
            "frame": np.repeat(np.arange(count), len(JOINTS)),
            "joint": list(JOINTS) * count,
            **dict(zip("xy", np.moveaxis(picture.joints.reshape(-1, 2), 1, 0), strict=True)),
            "visible": picture.joints_visible.ravel(),
        },
        "clips": {name: [facts[name]] for name in SCHEMAS["clips"].names},
        "camera": {
            "id": [clip] * count,
            "frame": np.arange(count),
            **dict(zip(_MATRIX, picture.camera.reshape(count, 6).T, strict=True)),
        },
    }
    return {name: pa.RecordBatch.from_pydict(columns, SCHEMAS[name]) for name, columns in rows.items()}


def _masks(instances: NDArray[np.int16], number: int) -> pa.ListArray:
    """instances: (T, side, side) -> the run lengths of T frames' things, frame by frame."""
    count = len(instances)
    flat = instances.reshape(count, -1)
    pixels = flat.shape[1]
    # Stretches of one thing, from which each thing's runs follow without looking at the pixels again.
    begins = np.ones(flat.shape, bool)
    np.not_equal(flat[:, 1:], flat[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    lengths, owners = np.diff(starts, append=flat.size), flat.ravel()[starts]
    group = (starts // pixels * number + owners)[owners >= 0]  # one a frame and thing
    order = np.argsort(group, kind="stable")
    group, starts, lengths = group[order], (starts % pixels)[owners >= 0][order], lengths[owners >= 0][order]
    ends = starts + lengths

    stretches = np.bincount(group, minlength=count * number)
    firsts = np.cumsum(stretches) - stretches
    ranks = np.arange(len(group)) - firsts[group]
    before = np.where(ranks == 0, 0, np.roll(ends, 1))
    left = np.full(count * number, pixels)
    left[stretches > 0] -= ends[(firsts + stretches)[stretches > 0] - 1]
    # What ends with the frame's last pixel needs no empty run after it.
    offsets = np.concatenate([[0], np.cumsum(2 * stretches + (left > 0))])
    runs = np.empty(offsets[-1], np.int32)
    places = offsets[group] + 2 * ranks
    runs[places], runs[places + 1] = starts - before, lengths
    runs[offsets[1:][left > 0] - 1] = left[left > 0]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(runs, pa.int32()))
