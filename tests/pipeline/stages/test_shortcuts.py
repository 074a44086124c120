"""The shortcut report as a stage: from a small store and its annotations to the page and its numbers."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import read_receipt
from pipeline.parameters import Parameters, read_parameters
from pipeline.stages.mine import SCHEMA
from pipeline.stages.shortcuts import shortcuts
from pipeline.store.index import write_index
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import stream
from tests.project import enter_settings

pytestmark = pytest.mark.slow

SIDE, FRAMES, RATE = 32, 10, 200
SIZES = {"train": 60, "validation": 20, "test": 20}
STREAMS = {name: stream(name, SIDE, 48000) for name in ("frames", "flow", "spectrogram")}


def clips(split: str, rng: np.random.Generator) -> list[dict[str, object]]:
    """Noise that is brighter the higher the number of the object's class; everything else is even. Returns their
    annotations."""
    classes = read_card("toyworld").labels
    folder = paths.decoded("smoke", "toyworld")
    rows, objects, tuples = [], [], []
    times = np.arange(FRAMES) * 0.08
    # Every class is as frequent as any other, and tells nothing of another label's.
    orders = [rng.permutation(SIZES[split]) % len(label.classes) for label in classes.values()]
    with ShardWriter(folder / f"{split}-000.arrow", STREAMS) as writer:
        for number in range(SIZES[split]):
            clip = f"toyworld/{split}/{number:06d}"
            told = {
                name: label.classes[order[number]] for (name, label), order in zip(classes.items(), orders, strict=True)
            }
            frames = rng.integers(0, 40, (FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
            frames += np.uint8(20 * classes["object"].classes.index(told["object"]))
            streams = {
                "frames": frames,
                "flow": np.zeros((FRAMES, SIDE // 2, SIDE // 2, 2), np.int8),
                "spectrogram": STREAMS["spectrogram"].quantised(rng.normal(-6, 1, (RATE * FRAMES * 8 // 100, 257))),
            }
            rows.append(
                {"id": clip, "parent": clip, "origin": clip, "split": split, "start": 0.0, "end": float(times[-1])}
                | {"frame_times": times.tolist(), "width": SIDE, "height": SIDE, "shard": f"{split}-000"}
                | {"offset": writer.append(streams), **{f"label_{name}": value for name, value in told.items()}}
            )
            tuples.append(
                {"id": clip, "row": number, "strategy": "motion"} | dict(zip("abcde", times[1:6], strict=True))
            )
            box = {"left": 8.0, "top": 8.0, "right": 16.0, "bottom": 16.0, "role": "main", "id": clip}
            objects += [{**box, "frame": frame, "mask": [SIDE * 10, 8, SIDE * 22 - 8]} for frame in range(FRAMES)]
    write_index(paths.index("smoke", "toyworld", split), rows, list(classes))
    mined = paths.tuples("smoke", "toyworld", split)
    mined.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(tuples, SCHEMA), mined)
    return objects


def stills(split: str, rng: np.random.Generator) -> None:
    classes = read_card("toyworld-stills").labels["object"].classes
    rows = []
    with ShardWriter(
        paths.decoded("smoke", "toyworld-stills") / f"{split}-000.arrow", {"frames": STREAMS["frames"]}
    ) as writer:
        for number in range(2 * SIZES[split]):
            parent = f"toyworld/{split}/{number // 2:06d}"
            frames = rng.integers(0, 255, (1, SIDE, SIDE, 3), dtype=np.uint8)
            rows.append(
                {"id": f"toyworld-stills/{split}/{number // 2:06d}-{number % 2}", "parent": parent, "origin": parent}
                | {"split": split, "start": 0.08, "end": 0.08, "frame_times": [0.08], "width": 20, "height": 20}
                | {
                    "frame": 1,
                    "box": [6, 6, 26, 26],
                    "shard": f"{split}-000",
                    "offset": writer.append({"frames": frames}),
                }
                | {"label_object": classes[number // 2 % len(classes)]}
            )
    write_index(paths.index("smoke", "toyworld-stills", split), rows, ["object"])


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parameters:
    """A project's folder with a hundred clips and two hundred stills; networks that train for two steps."""
    enter_settings(tmp_path, monkeypatch)
    read = read_parameters()
    smoke = read.at("smoke")
    schedules = {
        name: schedule.model_copy(update={"steps": 2, "warmup_steps": 0}) for name, schedule in smoke.shortcuts.ceilings
    }
    settings = smoke.shortcuts.model_copy(
        update={"ceilings": smoke.shortcuts.ceilings.model_copy(update=schedules)}
        | {"penalties": [0.1], "max_iterations": 10, "widths": [4, 8], "few_labels": 1, "few_draws": 1}
    )
    smoke = smoke.model_copy(update={"shortcuts": settings})
    read = read.model_copy(update={"scale": "smoke", "device": "cpu", "scales": {**read.scales, "smoke": smoke}})
    fingerprints.refresh(read, "smoke")
    rng = np.random.default_rng(0)
    for dataset in ("toyworld", "toyworld-stills"):
        (paths.decoded("smoke", dataset) / "index").mkdir(parents=True)
    objects = []
    for split in paths.SPLITS:
        objects += clips(split, rng)
        stills(split, rng)
    annotated = paths.annotations("smoke", "toyworld", "objects")
    annotated.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(objects), annotated)
    return read


def test_the_report_names_the_cue_that_was_planted(data: Parameters) -> None:
    shortcuts(data)
    page, values = paths.shortcuts().read_text(), json.loads(paths.shortcuts().with_suffix(".json").read_text())
    found = {(one["cue"], one["target"]): one for one in values["cues"]}
    # Ten classes in one line are told apart by a linear classifier at the ends at least.
    assert found["mean colour", "object"]["accuracy"] > 0.3
    assert not found["mean colour", "object"]["passes"]
    assert found["mean colour", "action"]["accuracy"] < 0.25
    assert found["clip length", "sounding"]["passes"]
    # Nine cues for action, object, order and time direction, two of them for the sounding class.
    assert len(found) == 9 * 4 + 2
    assert values["clips"] == 100
    assert values["images"] == "toyworld-stills"
    tasks = {one["task"]: one for one in values["ceilings"]}
    assert tasks["object from stills"]["examples"] == 40
    assert tasks["object from stills"]["clips"] == tasks["action from ordered frames"]["clips"] == 20
    assert values["passes"] == {"cues": False, "ceilings": False}
    assert "mean colour for object" in page.splitlines()[2]
    assert (
        f"frames of {read_parameters().at('smoke').shortcuts.clip_side} px, beside each, as the network's second"
        in page
    )
    receipt = read_receipt(paths.receipt_beside(paths.shortcuts()))
    read = {one["path"] for one in receipt["inputs"]}
    assert "data/decoded/smoke/toyworld-stills/test-000.arrow" in read
    assert "data/decoded/smoke/toyworld/tuples/train.parquet" in read


def test_a_store_without_what_is_measured_is_refused(data: Parameters) -> None:
    smoke = data.at("smoke")
    frames = smoke.model_copy(update={"store": smoke.store.model_copy(update={"streams": ["frames", "spectrogram"]})})
    with pytest.raises(UserError, match=r"frames, flow and sound: store\.streams lacks flow"):
        shortcuts(data.model_copy(update={"scales": {**data.scales, "smoke": frames}}))
