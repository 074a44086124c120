"""mine: Shuffle & Learn's tuples of one split, each with the motion that justified it."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import paths
from pipeline.errors import UserError
from pipeline.lineage import fingerprints
from pipeline.lineage.receipts import open_receipt
from pipeline.mining.tuples import five_tuples, generator_of, ssd
from pipeline.parameters import Parameters, keys_of
from pipeline.parameters.models import Mining
from pipeline.progress import progress
from pipeline.store import index
from pipeline.store.index import read_index
from pipeline.store.shards import Shard

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("row", pa.int64()),
        *((letter, pa.float64()) for letter in "abcde"),
        *((name, pa.float64()) for name in ("motion", "threshold", "ssd_ca", "ssd_ce")),
        ("strategy", pa.string()),
    ]
)
ROWS_AT_ONCE = 20_000  # of the file that is written: a row group


def mine(parameters: Parameters, scale: str, dataset: str, split: str) -> None:
    """Writes `tuples/SPLIT.parquet`: id and position in the index (`row`) of a clip, the times of its five frames in
    seconds, and `FiveTuple`'s numbers. Raises UserError for shards without the streams that it needs."""
    rows_path = paths.index(scale, dataset, split)
    path = paths.tuples(scale, dataset, split)
    rows = read_index(rows_path)
    folder = paths.decoded(scale, dataset)
    with open_receipt(
        "mine",
        receipt=path.with_suffix(".receipt.json"),
        inputs=[
            rows_path,
            *(folder / f"{shard}.arrow" for shard in rows["shard"].unique()),
            fingerprints.check("mine", parameters, scale),
        ],
        outputs=[path],
        parameters=parameters.used(keys_of(parameters, "mine", scale, dataset)),
        identity={"scale": scale, "dataset": dataset, "split": split},
    ) as stage:
        usable = rows.iloc[index.usable(rows)]
        counts: Counter[str] = Counter()
        without: dict[str, Counter[str]] = {}
        with pq.ParquetWriter(stage.partial(path), SCHEMA) as writer:
            for batch in _batches(_tuples(usable, folder, parameters.at(scale).mining, counts, without)):
                writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
        stage.notes |= {
            "clips": len(usable),
            "tuples": dict(counts),
            "clips_without": {strategy: dict(reasons) for strategy, reasons in without.items()},
        }


def _tuples(
    usable: pd.DataFrame, folder: Any, rules: Mining, counts: Counter[str], without: dict[str, Counter[str]]
) -> Iterator[dict[str, Any]]:
    """usable: rows of the index, their positions in it as the frame's index. Counts while it goes."""
    shard: Shard | None = None
    row: Any
    for row in progress(usable.itertuples(), "mining", len(usable)):
        # Rows stand in the shards' order: one is open at a time.
        if shard is None or shard.path.stem != row.shard:
            shard = Shard(folder / f"{row.shard}.arrow")
            if not {"frames", "motion"} <= shard.streams.keys():
                raise UserError(f"{shard.path}: mining needs the streams frames and motion; add them to store.streams")
        times, motion = np.asarray(row.frame_times), shard.window("motion", int(row.offset))
        distances = cache(lambda shard=shard, offset=int(row.offset): ssd(shard.window("frames", offset)))
        for strategy in rules.strategies:
            found, reason = five_tuples(
                times,
                motion,
                shard.streams["frames"].shape[0],
                distances,
                rules,
                strategy,
                generator_of(rules.seed, str(row.id), strategy),
            )
            counts[strategy] += len(found)
            if reason is not None:
                without.setdefault(strategy, Counter())[reason] += 1
            for one in found:
                yield {
                    "id": row.id,
                    "row": row.Index,
                    **{letter: float(times[frame]) for letter, frame in zip("abcde", one.frames, strict=True)},
                    "motion": one.motion,
                    "threshold": one.threshold,
                    "ssd_ca": one.ssd_ca,
                    "ssd_ce": one.ssd_ce,
                    "strategy": strategy,
                }


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
