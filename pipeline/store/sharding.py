"""Which shard a clip belongs to, known before anything is made: the DAG's width depends on it."""

import math
import zlib

from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.parameters import Parameters
from pipeline.paths import PARAMETERS, SPLITS

MOST = 1000
"""Shards of a split: their numbers have three digits."""
AT_ONCE, WORTH = 8, 25
"""Of a user's own files: shards that even a small folder is cut into, so that as many processes decode it, and files
that are worth one."""


def shard_of(clip: str, shards: int) -> int:
    """The shard of its split that a clip belongs to: by hash, so that adding a clip moves no other."""
    return zlib.crc32(clip.encode()) % shards


def shard_counts(parameters: Parameters, scale: str, dataset: str) -> dict[str, int]:
    """Shards of every split of a dataset: of a user's own files by the counts in its card, else by params.yaml. Stills
    are divided by their clip, into shards of their own size: one pass over a file cuts all that are in it."""
    card = read_card(dataset)
    per_shard = parameters.at(scale).store.clips_per_shard
    if card.kind == "folder":
        counted = card.files or {}
        return {split: _of_files(counted[split], per_shard) for split in card.splits}
    settings = parameters.at(scale).datasets
    if dataset not in settings:
        raise UserError(f"{PARAMETERS}: scales.{scale}.datasets.{dataset}: missing: add the dataset's sizes")
    parent = card.crops.dataset if card.crops else None
    clips = settings[parent or dataset]["clips"]
    if parent:
        per_shard = settings[dataset]["clips_per_shard"]
    return {split: max(1, math.ceil(clips[split] / per_shard)) for split in SPLITS if clips.get(split)}


def _of_files(count: int, per_shard: int) -> int:
    return min(MOST, max(1, math.ceil(count / per_shard), min(AT_ONCE, count // WORTH)))
