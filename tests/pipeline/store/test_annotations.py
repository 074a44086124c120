"""Boxes, foreground and camera of a few frames, by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UserError
from pipeline.store.annotations import CELLS, cameras, foregrounds, main_boxes


def table(path: Path, *rows: tuple[int, str, float, tuple[int, int, int, int]]) -> Path:
    """rows: frame, role, visible, box in px of a picture of 192 x 96."""
    entries = [
        {"id": "a", "frame": frame, "role": role, "visible": visible, "width": 192, "height": 96}
        | dict(zip(("left", "top", "right", "bottom"), box, strict=True))
        for frame, role, visible, box in rows
    ]
    pq.write_table(pa.Table.from_pylist(entries), path)
    return path


ROWS = pd.DataFrame({"id": ["b", "a"], "frame_times": [np.arange(2.0), np.arange(3.0)]})


def test_a_box_is_that_of_the_main_object_within_the_middle_square(tmp_path: Path) -> None:
    objects = table(
        tmp_path / "objects.parquet",
        (0, "main", 1.0, (72, 24, 168, 72)),
        (1, "main", 0.1, (72, 24, 96, 72)),
        (2, "actor", 1.0, (72, 24, 96, 72)),
        (7, "main", 1.0, (72, 24, 96, 72)),
    )
    boxes = main_boxes(objects, ROWS)
    # 48 px are cut off at the left; what sticks out at the right too. Hardly seen, or not at all: the whole picture.
    np.testing.assert_allclose(boxes[1], [[0.25, 0.25, 1, 0.75], [0, 0, 1, 1], [0, 0, 1, 1]])
    assert boxes[0].tolist() == [[0, 0, 1, 1]] * 2


def test_foreground_is_what_any_box_touches(tmp_path: Path) -> None:
    objects = table(
        tmp_path / "objects.parquet",
        (0, "main", 1.0, (48, 0, 51, 3)),
        (0, "actor", 0.5, (141, 94, 150, 96)),
        (1, "event", 0.0, (48, 0, 144, 96)),
        (2, "other", 1.0, (0, 0, 47, 96)),
    )
    maps = foregrounds(objects, ROWS)
    assert [tuple(cell) for cell in np.argwhere(maps[1][0])] == [(0, 0), (CELLS - 1, CELLS - 1)]
    # Not seen, or beside the middle square.
    assert not maps[1][1:].any()
    assert maps[0].shape == (2, CELLS, CELLS)
    assert not maps[0].any()


def test_where_nothing_is_seen_boxes_are_whole_and_nothing_is_foreground(tmp_path: Path) -> None:
    objects = table(tmp_path / "objects.parquet", (0, "main", 0.0, (72, 24, 168, 72)))
    assert main_boxes(objects, ROWS)[1].tolist() == [[0, 0, 1, 1]] * 3
    assert not foregrounds(objects, ROWS)[1].any()


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "objects.parquet"
    with pytest.raises(UserError, match=r"objects\.parquet: missing"):
        foregrounds(path, ROWS)
    path.write_text("no Parquet")
    with pytest.raises(UserError, match=r"objects\.parquet: not a readable Parquet file"):
        foregrounds(path, ROWS)


def test_a_camera_is_read_in_shares_of_the_middle_square(tmp_path: Path) -> None:
    objects = table(tmp_path / "objects.parquet", (0, "main", 1.0, (0, 0, 9, 9)), (0, "actor", 1.0, (0, 0, 9, 9)))
    middle = (95.5, 47.5)
    cosine, sine = 1.1 * np.cos(0.2), 1.1 * np.sin(0.2)
    entries = [
        # Turned by 0.2 radians and enlarged to 1.1, then moved by 24 px to the right and 12 px up.
        ("a", 2, cosine, -sine, middle[0] + 24, sine, cosine, middle[1] - 12),
        ("a", 0, 1, 0, middle[0], 0, 1, middle[1]),
        ("a", 7, 1, 0, 0, 0, 1, 0),
        ("none of the rows", 0, 1, 0, 0, 0, 1, 0),
    ]
    columns = ["id", "frame", "m00", "m01", "m02", "m10", "m11", "m12"]
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(entries, columns=columns)), tmp_path / "camera.parquet")
    found = cameras(objects, ROWS)
    np.testing.assert_allclose(
        found[1], [[0, 0, 0, 0], [np.nan] * 4, [0.25, -0.125, 0.2, np.log(1.1)]], rtol=1e-5, atol=1e-7
    )
    # Nothing is stated of the other clip.
    assert found[0].shape == (2, 4)
    assert np.isnan(found[0]).all()


def test_a_camera_table_that_is_missing_is_named(tmp_path: Path) -> None:
    objects = table(tmp_path / "objects.parquet", (0, "main", 1.0, (0, 0, 9, 9)))
    with pytest.raises(UserError, match=r"camera\.parquet: missing"):
        cameras(objects, ROWS)
