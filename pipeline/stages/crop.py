"""crop: the stills of a dataset of `kind: crops`, chosen from its parent's annotations; nothing is copied."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import paths
from pipeline.cards import read_card
from pipeline.datasets.crops import Crops, Seen, still_ids
from pipeline.errors import UserError
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.store import index
from pipeline.store.index import read_index

COLUMNS = ["id", "frame", "label", "role", "left", "top", "right", "bottom", "visible", "width", "height"]
ROWS_AT_ONCE = 50_000  # of the annotations: bounds the memory of a dataset of any size


def crop(parameters: Parameters, scale: str, dataset: str) -> None:
    """Writes `files.parquet`: a still's id, split, label, the path, md5 and size of the file that it is cut from, which
    is its `origin`, the clip (`parent`), the frame and the box; without frame and box where no frame shows the object.
    Raises UserError for a dataset that is not made of crops."""
    card = read_card(dataset)
    if card.crops is None:
        raise UserError(f"{paths.card(dataset)}: is of kind {card.kind}; only stills of kind crops are cut out")
    parent, label = card.crops.dataset, card.crops.label
    clips, objects = paths.raw(scale, parent) / "files.parquet", paths.annotations(scale, parent, "objects")
    listing = paths.raw(scale, dataset) / "files.parquet"
    with open_receipt(
        "crop",
        receipt=listing.with_name("receipt.json"),
        inputs=[clips, objects, paths.card(dataset), fingerprints.check("crop", parameters, scale)],
        outputs=[listing],
        parameters=parameters.used(keys_of(parameters, "crop", scale, dataset)),
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        try:
            crops = Crops(**parameters.at(scale).datasets[dataset])
        except ValueError as error:
            raise UserError(f"{paths.PARAMETERS}: scales.{scale}.datasets.{dataset}.{error}") from error
        chosen = {clip: (seen.label, crops.choose(clip, seen)) for clip, seen in main_objects(objects)}
        rows = []
        for clip in read_index(clips).itertuples():
            told, stills = chosen.get(str(clip.id), ("", []))
            for number, id in enumerate(still_ids(dataset, str(clip.id), crops.per_clip)):
                still = stills[number] if stills else None
                rows.append(
                    {"id": id, "split": clip.split, "path": clip.path, "md5": clip.md5, "size": clip.size}
                    | {"parent": clip.id, "origin": clip.md5, f"label_{label}": told or None}
                    | {"frame": still.frame if still else None, "box": list(still.box) if still else None}
                )
        pq.write_table(pa.Table.from_pylist(rows, _schema(label)), stage.partial(listing))
        stage.notes |= {"stills": len(rows), "without": sum(row["frame"] is None for row in rows)}


def _schema(label: str) -> pa.Schema:
    texts = ("id", "split", "path", "md5", "parent", "origin", f"label_{label}")
    return pa.schema(
        [*((name, pa.string()) for name in texts), ("size", pa.int64())]
        + [(name, index.COLUMNS[name]) for name in ("frame", "box")]
    )


def main_objects(objects: Path) -> Iterator[tuple[str, Seen]]:
    """objects: the annotation table, in which a clip's rows stand together -> each clip with its main object."""
    carried: pd.DataFrame | None = None
    for batch in pq.ParquetFile(objects).iter_batches(batch_size=ROWS_AT_ONCE, columns=COLUMNS):
        table = batch.to_pandas()
        table = pd.concat([carried, table[table["role"] == "main"]])
        ids = table["id"].to_numpy()
        starts = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        # The last clip may go on in the next batch.
        last = int(starts[-1]) if len(starts) else 0
        yield from _clips(table.iloc[:last], starts[:-1])
        carried = table.iloc[last:]
    if carried is not None and len(carried):
        yield from _clips(carried, np.zeros(0, int))


def _clips(table: pd.DataFrame, starts: np.ndarray) -> Iterator[tuple[str, Seen]]:
    """starts: rows at which another clip begins, but for the first."""
    if not len(table):
        return
    ids, labels = table["id"].to_numpy(), table["label"].to_numpy()
    frames, visible = table["frame"].to_numpy(), table["visible"].to_numpy()
    boxes = table[["left", "top", "right", "bottom"]].to_numpy(float)
    sizes = table[["width", "height"]].to_numpy(int).tolist()
    for start, end in zip([0, *starts], [*starts, len(table)], strict=True):
        mine = slice(int(start), int(end))
        width, height = sizes[int(start)]
        yield (
            str(ids[start]),
            Seen(str(labels[start]), (width, height), frames[mine], boxes[mine], visible[mine]),
        )
