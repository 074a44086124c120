"""A project's folder with a few small stills in its store, and a params.yaml to be changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline import paths
from pipeline.cards import read_card
from pipeline.store.index import write_index
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import Stream
from tests.project import read_settings, write_settings

DATASET = "toyworld-stills"
SHORT = {"steps": 12, "batch_size": 8, "log_every": 4, "checkpoint_every": 5, "watch_every": 0, "warmup_steps": 0}
SIZES = ("steps", "batch_size")
"""What a run has itself; the rest is its schedule's."""


def write_split(
    split: str,
    count: int,
    *,
    dataset: str = DATASET,
    usable: bool = True,
    one_of_its_class: bool = False,
    origins: Sequence[str] = (),
) -> None:
    """Pictures, each of its class's colour; with `one_of_its_class` the first is the only one of its class. origins: of
    the first of them, whose files are those of other clips."""
    rng, classes = np.random.default_rng(len(split)), read_card(dataset).labels["object"].classes
    palette = np.random.default_rng(0).integers(0, 200, (len(classes), 3))
    folder = paths.decoded("smoke", dataset)
    (folder / "index").mkdir(parents=True, exist_ok=True)
    rows = []
    with ShardWriter(folder / f"{split}-000.arrow", {"frames": Stream("uint8", (32, 32, 3), None)}) as writer:
        for number in range(count):
            label = number % len(classes) if not one_of_its_class else min(number, 1)
            picture = palette[label] + rng.integers(0, 50, (1, 32, 32, 3))
            clip = f"{dataset}/{split}/{number:06d}"
            origin = origins[number] if number < len(origins) else clip
            rows.append(
                {"id": clip, "parent": clip, "start": 0.0, "end": 0.0, "split": split, "shard": f"{split}-000"}
                | {"frame_times": [0.0], "reason": None if usable else "excluded: withdrawn", "origin": origin}
                | {"offset": writer.append({"frames": picture.astype(np.uint8)}), "label_object": classes[label]}
            )
    write_index(paths.index("smoke", dataset, split), rows, ["object"])


def schedule(run: str, **changes: Any) -> None:
    """Change how long a run is trained and the schedule that it shares with others, in params.yaml."""
    named = read_settings(paths.PARAMETERS)["runs"][run]["train"]["schedule"]
    for name in SIZES:
        if name in changes:
            edit(("runs", run, "train", name), {"smoke": changes[name]})
    edit(("scales", "smoke", "schedules", named), {name: of for name, of in changes.items() if name not in SIZES})


def edit(place: tuple[str, ...], changes: dict[str, Any]) -> None:
    data = read_settings(paths.PARAMETERS)
    block = data
    for key in place:
        block = block[key]
    block.update(changes)
    write_settings(paths.PARAMETERS, data)
