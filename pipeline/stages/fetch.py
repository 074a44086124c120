"""fetch: make a dataset's source files (render or download them) and list them with their hashes."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import cards, layout
from pipeline.datasets import DATASETS
from pipeline.errors import UserError, did_you_mean
from pipeline.lineage import fingerprints, receipts
from pipeline.parameters import Parameters, keys_of
from pipeline.progress import progress
from selfsup.registry import load


def fetch(parameters: Parameters, scale: str, dataset: str, workers: int) -> None:
    """Writes `clips/` and `files.parquet`: id, split, path, md5, size and a column a label."""
    card = cards.read(dataset)
    if dataset not in DATASETS:
        raise UserError(
            f"{layout.card(dataset)}: nothing makes files of kind {card.kind!r}{did_you_mean(dataset, DATASETS)}"
        )
    if dataset not in parameters.at(scale).datasets:
        raise UserError(f"{layout.PARAMETERS}: scales.{scale}.datasets.{dataset}: missing: add the dataset's sizes")
    folder = layout.raw(scale, dataset)
    clips, listing = folder / "clips", folder / "files.parquet"
    used = parameters.used(keys_of("fetch", scale, dataset))
    with receipts.open(
        "fetch",
        receipt=folder / "receipt.json",
        inputs=[layout.card(dataset), fingerprints.check("fetch", parameters, scale, dataset)],
        outputs=[clips, listing],
        parameters=used,
        identity={"scale": scale, "dataset": dataset},
    ) as stage:
        settings = parameters.at(scale).datasets[dataset]
        try:
            maker = load(DATASETS, dataset)(**settings)
        except ValueError as error:
            raise UserError(f"{layout.PARAMETERS}: scales.{scale}.datasets.{dataset}: {error}") from error
        destination = stage.partial(clips)
        made = progress(maker.make(destination, workers), f"rendering {dataset}", sum(settings["clips"].values()))
        rows = [_listed(row, destination, clips) for row in made]
        columns = ["id", "split", "path", "md5", "size", *(f"label_{label}" for label in card.labels)]
        pq.write_table(pa.table({name: [row[name] for row in rows] for name in columns}), stage.partial(listing))
        stage.notes["files"] = len(rows)


def _listed(row: dict[str, str], destination: Path, clips: Path) -> dict[str, object]:
    content = (destination / row["path"]).read_bytes()
    path = (clips / row["path"]).as_posix()
    return {**row, "path": path, "size": len(content), "md5": hashlib.md5(content).hexdigest()}
