"""From somebody's films with sound to a report of what pictures and sounds tell of each other."""

from pathlib import Path

import pandas as pd
import pytest

from tests.media import video
from tests.project import Project

pytestmark = pytest.mark.slow


def test_films_with_sound_end_in_a_report(project: Project, tmp_path: Path) -> None:
    for number in range(12):
        layout, rate = ("mono", "stereo")[number % 2], (44100, 22050)[number % 2]
        for seed, label in ((number, "bells"), (number + 50, "dogs")):
            path = tmp_path / "own" / ("test" if number < 4 else "train") / label / f"{number}.mp4"
            video(path, seed=seed, rate=15, frames=30, size=(80, 60), layout=layout, sample_rate=rate)
    # AVE-Net and its twin alone: the other runs have tests of their own.
    both = ["random_ave_net", "ave_net"]
    project.keep_runs(*both)
    for run in both:
        protocols = ("knn", "sound_svm", "correspondence", "retrieval")
        project.set(f"runs.{run}.evaluate", dict.fromkeys(protocols, "random_ave_net"))
    project.pipeline("add", "mine", str(tmp_path / "own"))
    target = "reports/smoke/mine/table.md"
    project.run("snakemake", "--cores", "all", target)

    table = (project.root / target).read_text()
    for run in both:
        for number in ("knn.top1", "sound_svm.top1", "correspondence.accuracy", "retrieval.ndcg_picture_sound"):
            assert f"`{run}.{number}`" in table
    answers = project.root / "runs/evaluations/smoke/mine/correspondence/mine"
    told = pd.read_parquet(answers / "ave_net/seed-0/predictions.parquet")
    untold = pd.read_parquet(answers / "random_ave_net/seed-0/predictions.parquet")
    assert told["id"].tolist() == untold["id"].tolist(), "the twin is asked about other pairs"
    assert told["scores"].map(list).tolist() != untold["scores"].map(list).tolist()
    said = project.pipeline("audit", "random_ave_net.correspondence.accuracy", "--dataset", "mine").stdout
    assert "trained on" not in said
    assert "trained on" in project.pipeline("audit", "ave_net.correspondence.accuracy", "--dataset", "mine").stdout
    assert "nothing differs" in project.pipeline("audit", "--verify", "--dataset", "mine").stdout
