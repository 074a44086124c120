"""Which clips pretraining is watched on, and by which labels."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Generator, Tensor

from pipeline.cards import Card
from pipeline.parameters.models import Watch
from pipeline.store import index
from pipeline.store.source import StoreSource
from selfsup.probes.watch import ClipWatch, Neighbours
from selfsup.training import derived_seed


def watch_of(
    settings: Watch, folder: Path, train: pd.DataFrame, validation: pd.DataFrame | None, card: Card, seed: int
) -> tuple[ClipWatch, dict[str, Any]]:
    """The watch, and what the receipt says of it. Without validation clips the training clips are watched, and without
    those or without a label of clips no neighbours are asked."""
    label = card.main if card.main and card.labels[card.main].of == "clip" else None
    classes = card.classes_of([label] if label else [])
    if validation is None or not len(index.usable(validation)):
        source = StoreSource(folder, train, "clips", {})
        entries = _some(source, settings.clips, seed, "watched")
        said = "no validation clips: training clips are watched, and no neighbours asked"
        return ClipWatch(source, entries, None), {"split": "train", "clips": len(entries), "note": said}
    source = StoreSource(folder, validation, "clips", classes)
    entries = _some(source, settings.clips, seed, "watched")
    notes: dict[str, Any] = {"split": "validation", "clips": len(entries)}
    if label is None:
        said = "no label of clips: no neighbours asked"
        return ClipWatch(source, entries, None), {**notes, "note": said}
    bank = StoreSource(folder, train, "clips", classes)
    known = _some(bank, settings.bank, seed, "bank")
    neighbours = Neighbours(bank, known, label, settings.neighbours, settings.temperature)
    return ClipWatch(source, entries, neighbours), {**notes, "bank": len(known), "label": label}


def _some(source: StoreSource, most: int, seed: int, purpose: str) -> Tensor:
    """(N,) entries, drawn at random: evenly spaced ones might all be of one class."""
    generator = Generator().manual_seed(derived_seed(seed, purpose))
    return torch.randperm(len(source.table["row"]), generator=generator)[:most].sort().values
