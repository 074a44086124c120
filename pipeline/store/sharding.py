"""Which shard a clip belongs to, known before anything is made: the DAG's width depends on it."""

import math
import zlib

from pipeline.errors import UserError
from pipeline.layout import PARAMETERS, SPLITS
from pipeline.parameters import Parameters


def shard_of(clip: str, shards: int) -> int:
    """The shard of its split that a clip belongs to: by hash, so that adding a clip moves no other."""
    return zlib.crc32(clip.encode()) % shards


def shard_counts(parameters: Parameters, scale: str, dataset: str) -> dict[str, int]:
    """Shards of every split of a dataset."""
    settings = parameters.at(scale).datasets
    if dataset not in settings:
        raise UserError(f"{PARAMETERS}: scales.{scale}.datasets.{dataset}: missing: add the dataset's sizes")
    clips = settings[dataset]["clips"]
    per_shard = parameters.at(scale).store.clips_per_shard
    return {split: max(1, math.ceil(clips[split] / per_shard)) for split in SPLITS if clips.get(split)}
