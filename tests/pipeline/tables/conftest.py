"""Evaluations on disk, small and with known scores, as `evaluate` leaves them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CLIPS = 200

Write = Callable[..., Path]


@pytest.fixture
def evaluation(tmp_path: Path) -> Write:
    """Writes an evaluation under a run, and returns its folder."""
    return partial(_write_evaluation, tmp_path)


def _write_evaluation(
    root: Path,
    run: str,
    *,
    right: int,
    seed: int = 0,
    layer: str = "block3",
    on: str = "toyworld",
    **baselines: float,
) -> Path:
    """An evaluation of 200 clips in 4 classes of which the first `right` are classified rightly."""
    folder = root / run / f"seed-{seed}" / on / "linear"
    folder.mkdir(parents=True)
    label = np.arange(CLIPS) % 4
    prediction = np.where(np.arange(CLIPS) < right, label, (label + 1) % 4)
    clips = [f"{on}/test/{number:06d}" for number in range(CLIPS)]
    # In no particular order, as nothing promises one.
    order = np.random.default_rng(seed).permutation(CLIPS)
    columns = {
        "metric": ["top1"] * CLIPS,
        "id": [clips[at] for at in order],
        "parent": [clips[at] for at in order],
        "label": label[order],
        "prediction": prediction[order],
        "scores": [[0.25] * 4] * CLIPS,
    }
    pq.write_table(pa.table(columns), folder / "predictions.parquet")
    value = right / CLIPS
    numbers = {
        "run": run,
        "seed": seed,
        "dataset": "toyworld",
        "scale": "smoke",
        "on": on,
        "protocol": "linear",
        "numbers": [
            {
                "layer": layer,
                "metric": "top1",
                "value": value,
                "low": value - 0.07,
                "high": value + 0.07,
                "count": CLIPS,
                "clips": CLIPS,
                **{"chance": 0.25, **baselines},
                "choice": {"layer": layer, "penalty": 0.1, "validation_top1": 0.5},
                "candidates": [{"layer": layer, "penalty": 0.1, "validation_top1": 0.5}],
            }
        ],
        "overlap": {"train": 800, "validation": 0, "test": 0},
        "excluded": {"train": 0, "validation": 0, "test": 0},
    }
    (folder / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    return folder
