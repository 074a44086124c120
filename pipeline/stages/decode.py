"""decode: the source files of one shard into the store's streams, one row a window, a reason for each that failed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import decord
import numpy as np
from av.error import FFmpegError

from pipeline import cards, layout
from pipeline.cards import Card
from pipeline.lineage import fingerprints, receipts
from pipeline.media.sound import log_spectrogram, read_sound
from pipeline.media.video import Video, open_video, square_frames
from pipeline.parameters import Parameters, Store, keys_of
from pipeline.progress import progress
from pipeline.store import index
from pipeline.store.sharding import shard_counts, shard_of
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import Stream, stream

# What decoders were seen to raise for damaged files. Anything else is a fault of ours and stops the job.
DAMAGED = (
    decord.DECORDError,
    FFmpegError,
    RuntimeError,
    IndexError,
    UnicodeDecodeError,
    MemoryError,
    EOFError,
    ValueError,
)


def decode(parameters: Parameters, scale: str, dataset: str, split: str, number: int) -> None:
    """Writes the shard (`.arrow`), its rows (`.parquet`) and its receipt."""
    shards = shard_counts(parameters, scale, dataset)[split]
    arrow = layout.shard(scale, dataset, split, number)
    listing = layout.raw(scale, dataset) / "files.parquet"
    store, card = parameters.at(scale).store, cards.read(dataset)
    with receipts.open(
        "decode",
        receipt=arrow.with_suffix(".receipt.json"),
        inputs=[listing, layout.card(dataset), fingerprints.check("decode", parameters, scale)],
        outputs=[arrow, arrow.with_suffix(".parquet")],
        parameters=parameters.used(keys_of("decode", scale, dataset)),
        identity={"scale": scale, "dataset": dataset, "split": split, "shard": number},
    ) as stage:
        files = index.read(listing)
        mine = files[(files["split"] == split) & (files["id"].map(lambda clip: shard_of(clip, shards)) == number)]
        streams: dict[str, Stream] = {name: stream(name, store.side, store.sample_rate) for name in store.streams}
        rows: list[dict[str, Any]] = []
        with ShardWriter(stage.partial(arrow), streams) as writer:
            for file in progress(mine.itertuples(), f"decoding {arrow.stem}", len(mine)):
                rows += _rows_of_file(file, card, store, writer, arrow.stem)
        index.write(stage.partial(arrow.with_suffix(".parquet")), rows, list(card.labels))
        unusable = [row for row in rows if row.get("reason")]
        stage.notes |= {"files": len(mine), "windows": len(rows) - len(unusable), "unusable": len(unusable)}


def _rows_of_file(file: Any, card: Card, store: Store, writer: ShardWriter, shard: str) -> list[dict[str, Any]]:
    row = {"id": file.id, "parent": file.id, "split": file.split, "path": file.path, "md5": file.md5, "shard": shard}
    row |= {f"label_{label}": getattr(file, f"label_{label}") for label in card.labels}
    rows: list[dict[str, Any]] = []
    reason = _changed(Path(file.path), file.md5)
    windows = _windows(Path(file.path), store) if reason is None else iter(())
    while True:
        try:
            window = next(windows, None)
        except DAMAGED as error:
            lines = str(error).strip().splitlines()
            reason = f"cannot be decoded: {lines[0] if lines else type(error).__name__}"
            break
        if window is None:
            break
        facts, streams = window
        rows.append({**row, **facts, "offset": writer.append(streams)})
    if reason is not None:
        # One that breaks in the middle is left out whole: the windows already written are never pointed at.
        return [{**row, "reason": reason}]
    if len(rows) > 1:
        rows = [{**one, "id": f"{file.id}@{number:04d}"} for number, one in enumerate(rows)]
    return rows


def _changed(path: Path, md5: str) -> str | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if hashlib.md5(content).hexdigest() == md5 else "changed since it was listed"


def _windows(path: Path, store: Store) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Facts and streams of each window of `window_seconds`; the last one may be shorter."""
    video = open_video(path)
    wants_sound = bool({"sound", "spectrogram"} & set(store.streams))
    sound = read_sound(path, store.sample_rate) if wants_sound else np.zeros(0, np.int16)
    for number in range(1 + int(video.times[-1] // store.window_seconds)):
        start = number * store.window_seconds
        inside = np.flatnonzero((video.times >= start) & (video.times < start + store.window_seconds))
        if not len(inside):
            continue
        samples = sound[round(start * store.sample_rate) : round((start + store.window_seconds) * store.sample_rate)]
        facts = {
            "start": start,
            "end": float(video.times[inside[-1]]),
            "frame_times": video.times[inside].tolist(),
            "width": video.width,
            "height": video.height,
        }
        yield facts, {name: _stream(name, video, inside, samples, store) for name in store.streams}


def _stream(name: str, video: Video, inside: np.ndarray, samples: np.ndarray, store: Store) -> np.ndarray:
    """inside: (T,) numbers of the window's frames; samples: (S,) int16, its sound."""
    match name:
        case "frames":
            return np.concatenate(list(square_frames(video, inside, store.side)))
        case "sound":
            return samples
        case "spectrogram":
            return log_spectrogram(samples, store.sample_rate)
    raise ValueError(f"no stream {name!r}")
