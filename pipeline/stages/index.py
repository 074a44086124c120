"""index: the rows of a split's shards in one table, with what `data/excluded.txt` excludes marked by its reason."""

import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import paths
from pipeline.cards import read_card
from pipeline.lineage import exclusions, fingerprints, receipts
from pipeline.lineage.exclusions import read_exclusions
from pipeline.lineage.receipts import open_receipt
from pipeline.parameters import Parameters
from pipeline.store import index as rows_of_store
from pipeline.store.index import read_index
from pipeline.store.sharding import shard_counts


def index(parameters: Parameters, scale: str, dataset: str, split: str) -> None:
    """Joins the rows of the split's shards in their order. Writes `index/SPLIT.parquet`."""
    shards = shard_counts(parameters, scale, dataset)[split]
    arrows = [paths.shard(scale, dataset, split, number) for number in range(shards)]
    parts = [paths.shard_rows(scale, dataset, split, number) for number in range(shards)]
    path = paths.index(scale, dataset, split)
    excluded = exclusions.of(scale, dataset, split)
    with open_receipt(
        "index",
        receipt=path.with_suffix(".receipt.json"),
        inputs=[*parts, *arrows, paths.card(dataset), *excluded, fingerprints.check("index", parameters, scale)],
        outputs=[path],
        parameters={},
        identity={"scale": scale, "dataset": dataset, "split": split},
    ) as stage:
        rows = pd.concat([read_index(part) for part in parts], ignore_index=True)
        # With the shards' hashes in it, this one file stands for all the bytes of its split.
        rows["shard_md5"] = rows["shard"].map({arrow.stem: receipts.describe(arrow)["md5"] for arrow in arrows})
        reasons = {clip: reason for path in excluded for clip, reason in read_exclusions(path).items()}
        for clip, reason in reasons.items():
            # A still goes with the clip that it is cut from, or alone.
            rows.loc[(rows["parent"] == clip) | (rows["id"] == clip), "reason"] = f"excluded: {reason}"
        schema = rows_of_store.schema(list(read_card(dataset).labels))
        pq.write_table(pa.Table.from_pandas(rows, schema, preserve_index=False), stage.partial(path))
        # A clip of another scale may be named here without being there: the report says so.
        there = {*rows["parent"], *rows["id"]}
        stage.notes["excluded_but_not_there"] = sorted(set(reasons) - there)
        # Those of stills name clips too, which may have no still; that they are there is said where they are indexed.
        own = [clip for clip in reasons if clip not in there and clip.startswith(f"{dataset}/")]
        for line in exclusions.warnings_of(own, scale, there):
            print(line, file=sys.stderr)
        _remove_surplus(scale, dataset, split, shards)
        stage.notes |= {"rows": len(rows), "usable": len(rows_of_store.usable(rows)), "excluded": len(reasons)}


def _remove_surplus(scale: str, dataset: str, split: str, shards: int) -> None:
    """Shards left over from a larger number of them would be versioned with the rest."""
    kept = {paths.shard_name(split, number) for number in range(shards)}
    for path in paths.decoded(scale, dataset).glob(f"{split}-[0-9][0-9][0-9].*"):
        if path.name.split(".")[0] not in kept:
            path.unlink()
