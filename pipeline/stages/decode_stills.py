"""decode, of a dataset of crops: the rows and pictures of the stills that are cut from one file."""

from typing import Any

import pandas as pd

from pipeline.cards import Card
from pipeline.filenames import from_text
from pipeline.media.decoder import Decoder
from pipeline.media.unusable import Unusable
from pipeline.store.shards import ShardWriter

STREAMS = ["frames"]
"""Of a still: nothing in it moves or sounds."""


def rows_of_stills(
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
            row |= {**place, **facts, "offset": writer.append({name: streams[name] for name in STREAMS})}
    except Unusable as error:
        return [{**row, "offset": None, "reason": str(error)} for row in rows]
    return rows
