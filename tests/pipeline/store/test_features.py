"""Features come back from their file as they were, or with one line that says what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.errors import UserError
from pipeline.store.features import read_features, write_features
from selfsup.probes.features import Features

MADE_FROM = {"weights": "a", "train": "b"}


def some(count: int, seed: int) -> Features:
    rng = np.random.default_rng(seed)
    blocks = {f"block{depth}": rng.standard_normal((count, 2, 3), np.float32) for depth in range(1, 12)}
    return Features(np.arange(count) * 2, blocks, rng.standard_normal((count, 2, 5), np.float32))


def test_what_is_read_is_what_was_written_from_the_shallow_blocks_to_the_deep(tmp_path: Path) -> None:
    path = tmp_path / "features.safetensors"
    written = {"train": some(7, seed=0), "test": some(3, seed=1)}
    write_features(written, MADE_FROM, path)
    read = read_features(path, written, MADE_FROM)
    for split, expected in written.items():
        found = read[split]
        assert found.rows.tolist() == expected.rows.tolist()
        assert list(found.blocks) == list(expected.blocks)
        assert all(np.array_equal(found.blocks[name], block) for name, block in expected.blocks.items())
        assert np.array_equal(found.averages, expected.averages)


def test_a_file_that_does_not_hold_a_split_is_damaged_or_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "features.safetensors"
    with pytest.raises(UserError, match=r"features\.safetensors: missing; `snakemake .*` makes it"):
        read_features(path, ["train"], MADE_FROM)
    write_features({"train": some(2, seed=0)}, MADE_FROM, path)
    with pytest.raises(UserError, match=r"holds no readable features \('test/rows'\); delete it and run again"):
        read_features(path, ["test"], MADE_FROM)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match="holds no readable features"):
        read_features(path, ["train"], MADE_FROM)


@pytest.mark.parametrize("other", ["weights", "train"])
def test_features_of_other_weights_or_clips_are_refused(tmp_path: Path, other: str) -> None:
    path = tmp_path / "features.safetensors"
    write_features({"train": some(2, seed=0)}, MADE_FROM, path)
    with pytest.raises(UserError, match="made from other weights or clips than are here; delete it and run again"):
        read_features(path, ["train"], MADE_FROM | {other: "c"})


def test_a_file_that_another_program_wrote_is_named(tmp_path: Path) -> None:
    path = tmp_path / "features.safetensors"
    save_file({"train/rows": np.arange(2)}, path)
    with pytest.raises(UserError, match="holds no readable features"):
        read_features(path, ["train"], MADE_FROM)
