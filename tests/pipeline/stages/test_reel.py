"""The reel as a stage: which clips it shows, and its receipt."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from pipeline import paths
from pipeline.datasets.toyworld import Toyworld
from pipeline.datasets.toyworld.encode import write_clip
from pipeline.errors import UserError
from pipeline.figures.shown_clips import unlike
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import read_receipt
from pipeline.parameters import Parameters, read_parameters
from pipeline.stages.reel import reel
from pipeline.store.index import write_index
from tests.project import enter_settings

# Its clips are of different classes and actions.
WORLD = Toyworld(seed=3, clips={"train": 3}, seconds=0.8, fps=12.5, side=64, sample_rate=48000, hard=0.0)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parameters:
    """A project's folder with three clips and their index, the second of which may not be used."""
    enter_settings(tmp_path, monkeypatch)
    read = read_parameters().model_copy(update={"scale": "smoke"})
    fingerprints.refresh(read, "smoke")
    rows = []
    for number in range(3):
        clip = WORLD.render("train", number)
        path = paths.raw("smoke", "toyworld") / f"clips/train/{number:06d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, clip.picture.frames, clip.sound, WORLD.fps, WORLD.sample_rate)
        rows.append(
            {"id": f"toyworld/train/{number:06d}", "split": "train", "path": str(path), "width": 64, "height": 64}
            | {"frame_times": [frame / 12.5 for frame in range(WORLD.frames)]}
            | {"reason": "excluded: a test" if number == 1 else None}
            | {f"label_{name}": value for name, value in clip.labels.items()}
        )
    table = paths.index("smoke", "toyworld", "train")
    table.parent.mkdir(parents=True)
    write_index(table, rows, ["action", "object", "sounding"])
    return read


def test_it_shows_usable_clips_and_leaves_a_receipt_of_its_own(data: Parameters) -> None:
    reel(data)
    with Image.open("reports/figures/toyworld.webp") as opened:
        assert opened.n_frames == WORLD.frames
    receipt = read_receipt(paths.receipt_beside(paths.reel("toyworld")))
    assert receipt["notes"]["clips"] == ["toyworld/train/000000", "toyworld/train/000002"]
    read = {Path(one["path"]).name for one in receipt["inputs"]}
    assert read == {"train.parquet", "000000.mp4", "000002.mp4", "toyworld.yaml", "reel.json"}
    # That of the sheet beside it is the report's.
    assert paths.receipt_beside(Path("reports/figures/toyworld.png")) == Path("reports/receipt.json")


def test_no_class_and_no_action_is_shown_twice() -> None:
    labels = [
        ("harp", "kick"),
        ("harp", "wave"),
        ("bell", "kick"),
        ("bell", "wave"),
        ("drum", "fall"),
        ("horn", "jump"),
    ]
    rows = pd.DataFrame(labels, columns=["label_object", "label_action"]).assign(split="train", reason=None)
    assert list(unlike(rows, "toyworld", 3).index) == [0, 3, 4]


def test_a_dataset_without_films_that_sound_is_refused(data: Parameters) -> None:
    with pytest.raises(UserError, match=r"toyworld-stills\.yaml.*found image and object"):
        reel(data.model_copy(update={"dataset": "toyworld-stills"}))
