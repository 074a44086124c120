from pathlib import Path

import pytest

from pipeline.lineage import fingerprints
from pipeline.parameters import read_parameters
from tests.pipeline.stages.stills import SHORT, edit, schedule, write_split
from tests.project import enter_settings


@pytest.fixture
def decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's folder with stills for training and validation, and a short schedule for both runs."""
    enter_settings(tmp_path, monkeypatch)
    fingerprints.refresh(read_parameters(), "smoke")
    write_split("train", 40)
    write_split("validation", 20)
    edit((), {"device": "cpu"})
    for run in ("rotation", "supervised"):
        schedule(run, **SHORT)
