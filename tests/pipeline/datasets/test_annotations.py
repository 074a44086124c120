"""What is said to be known of a clip is what its pixels show."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pipeline.datasets.toyworld import Clip, Toyworld, flow_of
from pipeline.datasets.toyworld.annotations import SCHEMAS, tables_of
from pipeline.datasets.toyworld.figure import JOINTS
from pipeline.stages.fetch import CLIPS_IN_GROUP, Annotations

WORLD = Toyworld(seed=8, clips={}, seconds=2.0, fps=12.5, side=96, sample_rate=16000, hard=1.0)
SIDE = 96


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [WORLD.render(split, number) for split in ("train", "test") for number in range(6)]


def tables(clip: Clip, name: str = "toyworld/train/000000") -> dict[str, pa.RecordBatch]:
    return tables_of(name, clip.picture, clip.onsets, clip.labels, clip.hard)


def painted(runs: list[int]) -> NDArray[np.bool_]:
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(SIDE, SIDE)


def test_masks_are_what_is_seen_and_lie_in_their_boxes(clips: list[Clip]) -> None:
    for clip in clips:
        instances = clip.picture.instances
        rows = tables(clip)["objects"].to_pylist()
        assert len(rows) == 25 * len(clip.picture.things)
        for row in rows:
            mask = painted(row["mask"])
            assert np.array_equal(mask, instances[row["frame"]] == row["instance"])
            if not mask.any():
                assert row["visible"] == 0
                assert np.isnan([row[name] for name in ("left", "top", "right", "bottom")]).all()
                continue
            ys, xs = np.nonzero(mask)
            assert row["left"] <= xs.min() < xs.max() + 1 <= row["right"] <= SIDE
            assert row["top"] <= ys.min() < ys.max() + 1 <= row["bottom"] <= SIDE
            if row["visible"] == 1:
                box = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
                assert box == (row["left"], row["top"], row["right"], row["bottom"])
            assert 0 < row["visible"] <= 1


def test_a_main_object_is_where_its_mask_says(clips: list[Clip]) -> None:
    """Nothing is in the picture of a clip but what is annotated: a mask's edge is where colours change."""
    inner, edge = [], []
    for clip in clips:
        main = next(at for at, thing in enumerate(clip.picture.things) if thing.role == "main")
        for frame in (0, 12):
            mask = (clip.picture.instances[frame] == main).astype(np.uint8)
            around = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - mask
            pixels = clip.picture.frames[frame].astype(np.float64)
            # Of the pixels just outside, to those just inside and to those further outside.
            rim = mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
            far = cv2.dilate(mask, np.ones((7, 7), np.uint8)) - cv2.dilate(mask, np.ones((5, 5), np.uint8))
            edge.append(np.linalg.norm(pixels[rim > 0].mean(axis=0) - pixels[far > 0].mean(axis=0)))
            inner.append(np.linalg.norm(pixels[around > 0].mean(axis=0) - pixels[far > 0].mean(axis=0)))
    assert np.mean(np.array(edge) > np.array(inner)) > 0.9


def test_flow_takes_one_frame_to_the_next(clips: list[Clip]) -> None:
    errors, still = [], []
    for clip in clips:
        picture, flow = clip.picture, flow_of(clip.picture)
        assert flow.shape == (25, SIDE, SIDE, 2)
        assert not flow[0].any()
        rows, columns = np.indices((SIDE, SIDE), np.float32)
        grey = np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in picture.frames]).astype(np.float32)
        for index in range(1, 25):
            before_x, before_y = columns - flow[index, ..., 0], rows - flow[index, ..., 1]
            warped = cv2.remap(grey[index - 1], before_x, before_y, cv2.INTER_LINEAR)
            whence = cv2.remap(picture.layers[index - 1], before_x, before_y, cv2.INTER_NEAREST, borderValue=255)
            # What was in the picture and is away from edges, where shadows, half-covered pixels and gaps are.
            layers = picture.layers[index]
            flat = cv2.dilate(layers, np.ones((3, 3), np.uint8)) == cv2.erode(layers, np.ones((3, 3), np.uint8))
            seen = flat & (whence == layers)
            moved = seen & (np.hypot(*np.moveaxis(flow[index], 2, 0)) > 1.0)
            errors.append(np.abs(warped - grey[index])[moved])
            still.append(np.abs(grey[index - 1] - grey[index])[moved])
    error, ignorant = np.concatenate(errors), np.concatenate(still)
    assert len(error) > 20_000
    assert np.median(error) < 3.0
    assert error.mean() < 0.65 * ignorant.mean()


@pytest.mark.slow
def test_joints_lie_on_the_actor_where_they_are_visible(clips: list[Clip]) -> None:
    visible = []
    for clip in clips:
        actor = next(at for at, thing in enumerate(clip.picture.things) if thing.role == "actor")
        rows = tables(clip)["joints"].to_pylist()
        assert [row["joint"] for row in rows[:13]] == list(JOINTS)
        for row in rows:
            x, y = round(row["x"]), round(row["y"])
            inside = 0 <= x < SIDE and 0 <= y < SIDE
            on_actor = inside and clip.picture.instances[row["frame"], y, x] == actor
            assert row["visible"] == on_actor
            visible.append(on_actor)
    assert np.mean(visible) > 0.85


def test_camera_and_facts(clips: list[Clip]) -> None:
    for clip in clips:
        made = tables(clip)
        assert {name: batch.schema for name, batch in made.items()} == SCHEMAS
        matrices = np.stack(
            [made["camera"].column(f"m{row}{column}") for row in (0, 1) for column in (0, 1, 2)], axis=1
        )
        assert np.array_equal(matrices.reshape(25, 2, 3), clip.picture.camera)
        (facts,) = made["clips"].to_pylist()
        assert facts["onsets"] == clip.onsets.tolist()
        assert (facts["action"], facts["object"]) == (clip.labels["action"], clip.labels["object"])
        assert 0 <= facts["action_start"] < facts["action_end"] <= 2
        assert facts["event"] in (None, "smoke", "splash", "drop")


def test_tables_grow_by_groups_in_which_clips_are_whole(clips: list[Clip], tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.parquet" for name in SCHEMAS}
    known = Annotations(paths, SCHEMAS)
    count = CLIPS_IN_GROUP + 3
    for number in range(count):
        known.add(tables(clips[number % 2], f"toyworld/train/{number:06d}"))
    known.close()
    for name, path in paths.items():
        file = pq.ParquetFile(path)
        assert file.num_row_groups == 2
        ids = [file.read_row_group(group, ["id"]).column("id").to_pylist() for group in (0, 1)]
        assert len(set(ids[0])) == CLIPS_IN_GROUP
        assert not set(ids[0]) & set(ids[1])
        assert file.schema_arrow.equals(SCHEMAS[name])
