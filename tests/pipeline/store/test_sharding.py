"""How many shards a split has, known from its card and params.yaml alone."""

from pathlib import Path

import pytest

from pipeline.cards import read_card
from pipeline.parameters import read_parameters
from pipeline.store.sharding import shard_counts
from tests.project import enter_settings


@pytest.mark.parametrize(
    ("files", "shards"),
    [(0, 1), (1, 1), (24, 1), (49, 1), (50, 2), (199, 7), (200, 8), (400, 8), (500, 9), (10**6, 1000)],
)
def test_own_files_are_decoded_by_several_processes(
    files: int, shards: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_settings(tmp_path, monkeypatch)
    read = read_parameters()
    own = read_card("toyworld").model_copy(
        update={"kind": "folder", "files": {"train": files, "validation": 3, "test": 3}}
    )
    monkeypatch.setattr("pipeline.store.sharding.read_card", lambda _: own)
    assert read.at("smoke").store.clips_per_shard == 60
    assert shard_counts(read, "smoke", "mine") == {"train": shards, "validation": 1, "test": 1}
