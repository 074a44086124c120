"""A new image method is one file and one block, in under 40 lines."""

import json
import math

import pandas as pd
import pytest

from tests.pipeline.added_method.adding import BLOCK, FILE, add_block, add_file
from tests.pipeline.stages.stills import DATASET, write_split
from tests.project import Project

pytestmark = pytest.mark.slow


def test_a_method_in_under_40_lines_is_trained_and_evaluated(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(len(path.read_text().splitlines()) for path in (FILE, BLOCK)) < 40
    project.pipeline("fingerprint")
    add_file(project)
    assert project.pipeline("fingerprint").stdout == "", "a file that no run names changes nothing"
    add_block(project)
    assert project.pipeline("fingerprint").stdout == "changed: runs/fingerprints/smoke/pretrain/upside_down.json\n"

    with monkeypatch.context() as patch:
        patch.chdir(project.root)
        for split, count in (("train", 40), ("validation", 20), ("test", 20)):
            write_split(split, count)
    job = ["--scale", "smoke", "--dataset", DATASET, "--run", "upside_down", "--seed", "0"]
    project.pipeline("pretrain", *job)
    log = pd.read_csv(project.root / f"runs/smoke/{DATASET}/upside_down/seed-0/log.csv")
    assert log["step"].iloc[-1] == 60
    assert log["upside_down"].map(math.isfinite).all()
    project.pipeline("evaluate", *job, "--on", DATASET, "--protocols", "linear,knn")
    for protocol in ("linear", "knn"):
        folder = project.root / f"runs/evaluations/smoke/{DATASET}/{protocol}/{DATASET}/upside_down/seed-0"
        numbers = json.loads((folder / "numbers.json").read_text())["numbers"]
        assert numbers[0]["metric"] == "top1"
        assert all(number["count"] == 20 and math.isfinite(number["value"]) for number in numbers)
