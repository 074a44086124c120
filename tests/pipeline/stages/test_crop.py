"""Stills of real files, from the annotations to the index: what they show, and which of them may not be used."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.datasets.toyworld.encode import write_clip
from pipeline.errors import UserError
from pipeline.files import md5_of
from pipeline.lineage import dvc_sync
from pipeline.lineage.receipts import read_receipt
from pipeline.parameters import Parameters, read_parameters
from pipeline.stages.crop import COLUMNS, crop, main_objects
from pipeline.stages.decode import decode
from pipeline.stages.index import index as make_index
from pipeline.store import index
from pipeline.store.index import read_index
from pipeline.store.sharding import shard_counts, shard_of
from pipeline.store.shards import Shard
from pipeline.store.source import StoreSource
from tests.project import enter_settings

CLIPS, FRAMES, SIDE, OBJECT = 8, 12, 64, 20
HIDDEN, BROKEN = 3, 5
OTHER = (10, 50)


def place(number: int, frame: int) -> tuple[int, int]:
    """Left and top of a clip's object: from one edge to the other."""
    return 4 * frame, 3 * number


def drawn(number: int, frame: int) -> np.ndarray:
    """A red square that moves over blue, before a green one that is no main object."""
    picture = np.full((SIDE, SIDE, 3), [20, 20, 160], np.uint8)
    for (x, y), colour in ((OTHER, [20, 200, 20]), (place(number, frame), [220, 30, 30])):
        picture[y : y + OBJECT, x : x + OBJECT] = colour
    return picture


def film(path: Path, number: int) -> list[dict[str, Any]]:
    """Writes a clip; returns its annotations."""
    rows = []
    for frame in range(FRAMES):
        left, top = place(number, frame)
        for role, x, y in (("other", *OTHER), ("main", left, top)):
            seen = 0.0 if role == "main" and number == HIDDEN else 1.0 - (frame < 3)
            box = (x, y, min(x + OBJECT, SIDE), min(y + OBJECT, SIDE)) if seen else (np.nan,) * 4
            rows.append(
                {"id": f"toyworld/train/{number:06d}", "frame": frame, "label": "bell" if role == "main" else "drum"}
                | {"role": role, "visible": seen, "width": SIDE, "height": SIDE}
                | dict(zip(("left", "top", "right", "bottom"), box, strict=True))
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(
        path,
        np.stack([drawn(number, frame) for frame in range(FRAMES)]),
        np.zeros(FRAMES * 3840, np.float32),
        12.5,
        48000,
    )
    return rows


@pytest.fixture
def stills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parameters:
    """A project's folder with eight clips and their annotations; two shards of stills."""
    enter_settings(tmp_path, monkeypatch)
    read = read_parameters()
    # So close that a still is smaller than what the store keeps.
    read.scales["smoke"].datasets["toyworld-stills"] |= {"clips_per_shard": CLIPS // 2, "around": [1.1, 1.4]}
    read.scales["smoke"].datasets["toyworld"]["clips"]["train"] = CLIPS
    folder = paths.raw("smoke", "toyworld")
    files, objects = [], []
    for number in range(CLIPS):
        path = folder / "clips" / "train" / f"{number:06d}.mp4"
        objects += film(path, number)
        files.append(
            {"id": f"toyworld/train/{number:06d}", "split": "train", "path": path.as_posix(), "md5": md5_of(path)}
            | {"size": path.stat().st_size, "label_object": "bell", "label_sounding": "bell"}
        )
    pq.write_table(pa.Table.from_pylist(files), folder / "files.parquet")
    annotated = paths.annotations("smoke", "toyworld", "objects")
    annotated.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(objects), annotated)
    (folder / "clips" / "train" / f"{BROKEN:06d}.mp4").write_bytes(b"no longer what was listed")
    paths.EXCLUDED.write_text(
        "toyworld/train/000001 withdrawn\ntoyworld-stills/train/000002-1 out of focus\ntoyworld/train/999999 unknown\n"
    )
    dvc_sync.refresh(read, "smoke")
    return read


def made(read: Parameters) -> pd.DataFrame:
    crop(read, "smoke", "toyworld-stills")
    for number in range(shard_counts(read, "smoke", "toyworld-stills")["train"]):
        decode(read, "smoke", "toyworld-stills", "train", number)
    make_index(read, "smoke", "toyworld-stills", "train")
    return read_index(paths.index("smoke", "toyworld-stills", "train"))


def test_every_clip_has_its_stills_and_a_reason_where_they_are_not_used(stills: Parameters) -> None:
    rows = made(stills)
    expected = {f"toyworld-stills/train/{number:06d}-{still}" for number in range(CLIPS) for still in range(2)}
    assert set(rows["id"]) == expected
    reasons = rows.set_index("id")["reason"].dropna().to_dict()
    told = {
        HIDDEN: "no frame shows enough of its object",
        BROKEN: "changed since it was listed",
        1: "excluded: withdrawn",
    }
    assert reasons == {
        **{f"toyworld-stills/train/{number:06d}-{one}": reason for number, reason in told.items() for one in range(2)},
        "toyworld-stills/train/000002-1": "excluded: out of focus",
    }
    notes = read_receipt(paths.receipt_beside(paths.index("smoke", "toyworld-stills", "train")))["notes"]
    assert notes["excluded_but_not_there"] == ["toyworld/train/999999"]


def test_a_still_is_its_box_of_its_parents_frame(stills: Parameters) -> None:
    rows = made(stills)
    files = read_index(paths.raw("smoke", "toyworld") / "files.parquet").set_index("id")
    usable = rows.iloc[index.usable(rows)]
    assert len(usable) == 2 * (CLIPS - 3) - 1
    for row in usable.itertuples():
        assert row.id.replace("toyworld-stills", "toyworld").rpartition("-")[0] == row.parent
        assert row.origin == row.md5 == files["md5"][row.parent]
        assert row.label_object == "bell"
        assert row.shard == paths.shard_name("train", shard_of(row.parent, 2))
        # It is hidden in the first three frames.
        assert row.frame >= 3
        assert row.start == row.end == row.frame_times[0] == pytest.approx(row.frame / 12.5, abs=1e-3)
        left, top, right, bottom = (int(end) for end in row.box)
        assert row.width == row.height == right - left
        picture = Shard(paths.decoded("smoke", "toyworld-stills") / f"{row.shard}.arrow").window(
            "frames", int(row.offset)
        )[0]
        side = stills.at("smoke").store.side
        assert picture.shape == (side, side, 3)
        around = np.pad(
            drawn(int(row.parent[-6:]), int(row.frame)), ((SIDE, SIDE), (SIDE, SIDE), (0, 0)), mode="reflect"
        )
        shown = around[top + SIDE : bottom + SIDE, left + SIDE : right + SIDE]
        expected = cv2.resize(shown, (side, side), interpolation=cv2.INTER_CUBIC)
        assert right - left < side
        assert np.abs(picture.astype(int) - expected).mean() < 12  # colours of a codec bleed at edges


def test_stills_are_drawn_with_the_label_of_their_object(stills: Parameters) -> None:
    rows = made(stills)
    source = StoreSource(paths.decoded("smoke", "toyworld-stills"), rows, "clips", {"object": ["drum", "bell"]})
    assert (source.table["start"] == source.table["end"]).all()
    assert len(source.table["row"]) == 9


def test_the_same_seed_gives_the_same_stills(stills: Parameters) -> None:
    crop(stills, "smoke", "toyworld-stills")
    listing = paths.raw("smoke", "toyworld-stills") / "files.parquet"
    before = listing.read_bytes()
    crop(stills, "smoke", "toyworld-stills")
    assert listing.read_bytes() == before
    stills.scales["smoke"].datasets["toyworld-stills"]["seed"] = 1
    crop(stills, "smoke", "toyworld-stills")
    assert listing.read_bytes() != before


def test_a_clip_is_read_whole_however_the_table_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        dict.fromkeys(COLUMNS, 0.0)
        | {"id": f"c{clip}", "frame": frame, "label": f"l{clip}", "role": role, "visible": frame / 10}
        for clip in range(5)
        for frame in range(3 + clip)
        for role in ("main", "actor")
    ]
    path = tmp_path / "objects.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    for size in (1, 2, 7, 1000):
        monkeypatch.setattr("pipeline.stages.crop.ROWS_AT_ONCE", size)
        found = list(main_objects(path))
        assert [clip for clip, _ in found] == [f"c{clip}" for clip in range(5)]
        for clip, (_, seen) in enumerate(found):
            assert seen.label == f"l{clip}"
            assert seen.frames.tolist() == list(range(3 + clip))


def test_what_is_not_made_of_crops_is_refused(stills: Parameters) -> None:
    with pytest.raises(UserError, match=r"toyworld\.yaml: is of kind rendered; only stills of kind crops are cut out"):
        crop(stills, "smoke", "toyworld")
