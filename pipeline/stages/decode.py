"""decode: the source files of one shard into the store's streams, one row a window, a reason for each that failed."""

import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline import paths
from pipeline.cards import Card, read_card
from pipeline.errors import UserError
from pipeline.filenames import from_text
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.media.decoder import Decoder
from pipeline.media.unusable import Unusable
from pipeline.parameters import Parameters, keys_of
from pipeline.progress import progress
from pipeline.store import index
from pipeline.store.index import read_index, write_index
from pipeline.store.sharding import shard_counts, shard_of
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import OF_MODALITY, Stream, stream, streams_of

STREAMS_OF_STILLS = ["frames"]
"""Of a still: nothing in it moves or sounds."""


def decode(parameters: Parameters, scale: str, dataset: str, split: str, number: int) -> None:
    """Writes the shard (`.arrow`), its rows (`.parquet`) and its receipt. The last lines on standard error say which
    files were left out and why. Raises UserError where the store keeps nothing of what the dataset's files have."""
    shards = shard_counts(parameters, scale, dataset)[split]
    arrow = paths.shard(scale, dataset, split, number)
    listing = paths.raw(scale, dataset) / "files.parquet"
    store, card = parameters.at(scale).store, read_card(dataset)
    names = STREAMS_OF_STILLS if card.kind == "crops" else streams_of(card.modality, store.streams)
    if not names:
        raise UserError(
            f"{paths.PARAMETERS}: scales.{scale}.store.streams: keeps nothing of {dataset}, whose modality is "
            f"{card.modality}: add one of {', '.join(OF_MODALITY[card.modality])}"
        )
    with (
        open_receipt(
            "decode",
            receipt=arrow.with_suffix(".receipt.json"),
            inputs=[listing, paths.card(dataset), fingerprints.check("decode", parameters, scale)],
            outputs=[arrow, arrow.with_suffix(".parquet")],
            parameters=parameters.used(keys_of(parameters, "decode", scale, dataset)),
            identity={"scale": scale, "dataset": dataset, "split": split, "shard": number},
        ) as stage,
        Decoder({**store.model_dump(), "streams": names}) as decoder,
    ):
        files = read_index(listing)
        # Stills lie in the shard of their clip's number, so that a file is read once.
        clips = files["parent" if card.kind == "crops" else "id"]
        mine = files[(files["split"] == split) & (clips.map(lambda clip: shard_of(clip, shards)) == number)]
        # Stills are drawn one by one and fit into memory: only films are worth decoding anew.
        quality = None if card.modality == "image" else store.jpeg_quality
        streams: dict[str, Stream] = {name: stream(name, store.side, store.sample_rate, quality) for name in names}
        rows: list[dict[str, Any]] = []
        with ShardWriter(stage.partial(arrow), streams) as writer:
            if card.kind == "crops":
                sources = mine.groupby("path", sort=False)
                for _, stills in progress(sources, f"decoding {arrow.stem}", sources.ngroups):
                    rows += _rows_of_stills(stills, card, writer, decoder, arrow.stem)
            else:
                for file in progress(mine.itertuples(), f"decoding {arrow.stem}", len(mine)):
                    rows += _rows_of_file(file, card, writer, decoder, arrow.stem)
        write_index(stage.partial(arrow.with_suffix(".parquet")), rows, list(card.labels))
        left_out = [(row["id"], row["reason"]) for row in rows if row.get("reason")]
        stage.notes |= {
            "files": len(mine),
            "windows": len(rows) - len(left_out),
            "unusable": len(left_out),
            "reasons": index.counted(reason for _, reason in left_out),
            "decoders_given_up": decoder.restarts,
        }
        for line in index.told(arrow.stem, len(mine), left_out):
            print(line, file=sys.stderr)


def _rows_of_file(file: Any, card: Card, writer: ShardWriter, decoder: Decoder, shard: str) -> list[dict[str, Any]]:
    row = {"id": file.id, "parent": file.id, "split": file.split, "path": file.path, "md5": file.md5, "shard": shard}
    row |= {"origin": file.md5}
    row |= {f"label_{label}": getattr(file, f"label_{label}") for label in card.labels}
    # A folder's list may say already why a file cannot be used.
    if reason := getattr(file, "reason", None):
        return [{**row, "reason": reason}]
    try:
        rows = [{**row, **facts} for facts in _written(file, card, writer, decoder)]
    except Unusable as error:
        # One that breaks in the middle is left out whole: the windows already written are never pointed at.
        return [{**row, "reason": str(error)}]
    if len(rows) > 1:
        rows = [{**one, "id": f"{file.id}@{number:04d}"} for number, one in enumerate(rows)]
    return rows or [{**row, "reason": "holds nothing"}]


def _written(file: Any, card: Card, writer: ShardWriter, decoder: Decoder) -> Iterator[dict[str, Any]]:
    for facts, streams in decoder.windows(from_text(file.path), file.md5, card.modality):
        yield {**facts, "offset": writer.append(streams)}


def _rows_of_stills(
    stills: pd.DataFrame, card: Card, writer: ShardWriter, decoder: Decoder, shard: str
) -> list[dict[str, Any]]:
    """stills: all that are cut from one file, as `crop` lists them; if one of them cannot be, none is used."""
    kept = ["id", "parent", "split", "path", "md5", "origin", *(f"label_{label}" for label in card.labels)]
    rows = [dict(zip([*kept, "shard"], [*row, shard], strict=True)) for row in stills[kept].itertuples(index=False)]
    is_known = stills["box"].notna().to_numpy()
    used = [row for row, known in zip(rows, is_known, strict=True) if known]
    for row in rows:
        row["reason"] = None if row in used else "no frame shows enough of its object"
    if not used:
        return rows
    wanted = stills[is_known]
    places = [
        {"frame": int(frame), "box": [int(end) for end in box]}
        for frame, box in zip(wanted["frame"], wanted["box"], strict=True)
    ]
    first = stills.iloc[0]
    try:
        windows = decoder.windows(from_text(first["path"]), first["md5"], "video", places)
        for row, place, (facts, streams) in zip(used, places, windows, strict=True):
            row |= {**place, **facts, "offset": writer.append({name: streams[name] for name in STREAMS_OF_STILLS})}
    except Unusable as error:
        return [{**row, "offset": None, "reason": str(error)} for row in rows]
    return rows
