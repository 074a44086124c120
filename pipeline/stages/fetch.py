"""fetch: make a dataset's source files or find somebody's own; list them with their hashes, keep what is known."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import paths
from pipeline.cards import Card, read_card
from pipeline.datasets import DATASETS, FOLDER
from pipeline.errors import UserError, did_you_mean
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import Stage, open_receipt
from pipeline.parameters import Parameters, keys_of
from pipeline.progress import progress
from selfsup.class_path import load

CLIPS_IN_GROUP = 100  # whose annotations make a row group: what is held of them at a time


class Annotations:
    """Parquet tables that grow clip by clip, in constant memory."""

    def __init__(self, files: dict[str, Path], schemas: dict[str, pa.Schema]) -> None:
        """files, schemas: by the table's name."""
        self._writers = {
            name: pq.ParquetWriter(path, schemas[name], compression="zstd") for name, path in files.items()
        }
        self._pending: dict[str, list[pa.RecordBatch]] = {name: [] for name in files}

    def add(self, rows: dict[str, pa.RecordBatch]) -> None:
        """rows: of one clip, by table. A clip's rows stand together, in one row group."""
        for name, batch in rows.items():
            self._pending[name].append(batch)
            if len(self._pending[name]) == CLIPS_IN_GROUP:
                self._flush(name)

    def close(self) -> None:
        for name, writer in self._writers.items():
            self._flush(name)
            writer.close()

    def _flush(self, name: str) -> None:
        if pending := self._pending[name]:
            self._pending[name] = []
            table = pa.Table.from_batches(pending)
            self._writers[name].write_table(table, row_group_size=len(table))


def fetch(parameters: Parameters, scale: str, dataset: str, workers: int) -> None:
    """Writes `files.parquet` (id, split, path, md5, size and a column a label); of what is made also `clips/` and, in
    `annotations/`, the tables that the dataset's maker states, which `paths.annotations` finds."""
    card = read_card(dataset)
    if card.kind == "folder":
        _stage(parameters, scale, card, [], [paths.listed(scale, dataset)], lambda stage: _found(card, workers))
        return
    if dataset not in DATASETS:
        raise UserError(
            f"{paths.card(dataset)}: nothing makes files of kind {card.kind!r}{did_you_mean(dataset, DATASETS)}"
        )
    if dataset not in parameters.at(scale).datasets:
        raise UserError(f"{paths.PARAMETERS}: scales.{scale}.datasets.{dataset}: missing: add the dataset's sizes")
    settings = parameters.at(scale).datasets[dataset]
    try:
        maker = load(DATASETS[dataset])(**settings)
    except ValueError as error:
        raise UserError(f"{paths.PARAMETERS}: scales.{scale}.datasets.{dataset}: {error}") from error
    clips = paths.raw(scale, dataset) / "clips"
    tables = {name: paths.annotations(scale, dataset, name) for name in maker.annotations}

    def made(stage: Stage) -> list[dict[str, Any]]:
        known = Annotations({name: stage.partial(path) for name, path in tables.items()}, maker.annotations)
        destination, count = stage.partial(clips), sum(settings["clips"].values())
        rows = []
        for row in progress(maker.make(destination, workers), f"rendering {dataset}", count):
            known.add(row.pop("annotations"))
            rows.append(_listed(row, destination, clips))
        known.close()
        return rows

    _stage(parameters, scale, card, [clips, *tables.values()], [], made)


def _stage(
    parameters: Parameters,
    scale: str,
    card: Card,
    outputs: list[Path],
    inputs: list[Path],
    rows_of: Callable[[Stage], list[dict[str, Any]]],
) -> None:
    folder = paths.raw(scale, card.name)
    listing = folder / "files.parquet"
    with open_receipt(
        "fetch",
        receipt=folder / "receipt.json",
        inputs=[paths.card(card.name), *inputs, fingerprints.check("fetch", parameters, scale, card.name)],
        outputs=[*outputs, listing],
        parameters=parameters.used(keys_of(parameters, "fetch", scale, card.name)),
        identity={"scale": scale, "dataset": card.name},
    ) as stage:
        rows = rows_of(stage)
        columns = ["id", "split", "path", "md5", "size", *(f"label_{label}" for label in card.labels)]
        if card.kind == "folder":
            columns.append("reason")
        types = {"size": pa.int64()}
        arrays = {name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in columns}
        pq.write_table(pa.table(arrays), stage.partial(listing))
        stage.notes["files"] = len(rows)


def _listed(row: dict[str, Any], destination: Path, clips: Path) -> dict[str, Any]:
    content = (destination / row["path"]).read_bytes()
    path = (clips / row["path"]).as_posix()
    return {**row, "path": path, "size": len(content), "md5": hashlib.md5(content).hexdigest()}


def _found(card: Card, workers: int) -> list[dict[str, Any]]:
    """Somebody's own files, where they lie."""
    folder = load(FOLDER)(
        card.name,
        root=card.root,
        medium="video" if card.modality == "audio-visual" else card.modality,
        classes=card.labels[card.main].classes if card.main else None,
        splits=card.splits,
        held_out=card.held_out,
    )
    rows = progress(folder.rows(workers), f"hashing {card.name}", len(folder.files))
    return [{**row, f"label_{card.main}": row["label"]} for row in rows]
