"""From somebody's own folder to a report, on real files."""

import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.filenames import from_text
from tests.media import image, sound, video
from tests.project import Project

pytestmark = pytest.mark.slow


NOT_RUN = ("shuffle_and_learn_background", "random_sound", "supervised_sound", "random_ave_net", "ave_net")
"""On videos without sound, of which nobody has said what they show."""


def decoded(project: Project, name: str, split: str = "train") -> pd.DataFrame:
    """The index of a split, made by the stages themselves, without Snakemake."""
    project.pipeline("fingerprint")
    project.pipeline("fetch", "--scale", "smoke", "--dataset", name)
    of_split = ["--scale", "smoke", "--dataset", name, "--split", split]
    project.pipeline("decode", *of_split, "--shard", "0")
    project.pipeline("index", *of_split)
    return pd.read_parquet(project.root / f"data/decoded/smoke/{name}/index/{split}.parquet")


def jobs(project: Project, target: str) -> set[str]:
    done = project.run("snakemake", "-n", target)
    lines = (done.stdout + done.stderr).splitlines()
    rules = {line.split()[1].rstrip(":") for line in lines if line.startswith(("rule ", "localrule "))}
    return {"evaluate" if rule.startswith("evaluate_") else rule for rule in rules}


def unwrapped(text: str) -> str:
    """Every item of a list in a line of its own."""
    return re.sub(r"\n {2}(?=\S)", " ", text)


def test_a_folder_of_videos_ends_in_a_report(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "own 'files'"
    for number in range(12):
        video(folder / "a b" / f"{number}.mp4", seed=number, rate=15, size=(80, 60))
        video(folder / "c" / f"{number}.mp4", seed=number + 50, rate=25, frames=20, size=(64, 96))
    (folder / "c" / os.fsdecode(b"caf\xe9\n.mp4")).write_bytes(video(folder / "c/0.mp4", seed=99).read_bytes())
    (folder / "c/text.mp4").write_text("no video\n" * 100)
    (folder / "c/gone.mp4").symlink_to("nowhere")
    # Every protocol; runs of which another is there add time alone.
    project.keep_runs("random", "rotation", "random_video", "shuffle_and_learn", *NOT_RUN)
    project.set("protocols.linear.arguments.penalties", [0.1])
    project.set("runs.rotation.train.steps.smoke", 10)
    project.pipeline("add", "mine", str(folder))
    target = "reports/smoke/mine/table.md"
    project.run("snakemake", "--cores", "all", target)
    assert jobs(project, target) == set()

    table = (project.root / target).read_text()
    numbers = ("random.linear.top1", "rotation.linear.top1", "shuffle_and_learn.action.top1_few")
    for text in (*(f"`{number}`" for number in numbers), "50.0 %", "link to nothing", "c/text.mp4"):
        assert text in table
    # They are silent, and nobody has said what they show: what needs that is named with its reason, and nothing else.
    missing = table.partition("\n## Not run\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+)`(?=[,:])", missing)) == {
        *NOT_RUN,
        *("sound_svm", "correspondence", "retrieval"),
    }
    assert set(re.findall(r"\(figures/([\w-]+).png\): ", table)) == {
        *("training-curves", "confusion", "neighbours", "tuples"),
    }
    assert "lecture" not in table
    measured = json.loads((project.root / "reports/smoke/mine/metrics.json").read_text())["measured"]
    assert 0 <= measured["rotation"]["linear"]["top1"]["value"] <= 1
    assert (project.root / "reports/smoke/mine/figures/mine.png").read_bytes().startswith(b"\x89PNG")
    assert not (project.root / "data/raw/smoke/mine/clips").exists()

    rows = pd.concat([pd.read_parquet(path) for path in project.root.glob("data/decoded/smoke/mine/index/*.parquet")])
    assert len(rows) == 27
    assert rows["reason"].notna().sum() == 2
    assert rows.loc[rows["id"].str.contains("caf%E9%0A"), "reason"].isna().all()

    shown = project.pipeline("show", "mine").stdout
    assert "1 not used: link to nothing" in shown
    for name in ("sheet", "histograms"):
        assert (project.root / f"reports/smoke/mine/figures/show-{name}.png").read_bytes().startswith(b"\x89PNG")
    tested = rows[rows["split"] == "test"].iloc[0]
    said = project.pipeline("audit", "--file", tested["parent"]).stdout
    assert "tested on" in said
    assert "smoke/mine/rotation/seed-0/mine/linear" in said
    by_path = project.pipeline("audit", "--file", str(from_text(tested["path"]).relative_to(folder))).stdout
    assert by_path == said
    assert "nothing differs" in project.pipeline("audit", "--verify", "--dataset", "mine").stdout

    # A file that is added, and one that is excluded, are noticed while planning; toyworld is not concerned.
    video(folder / "c/new.mp4", seed=7)
    assert {"list_folder", "decode", "pretrain", "report"} <= jobs(project, target)
    (folder / "c/new.mp4").unlink()
    excluded = project.root / "data/excluded.txt"
    excluded.write_text(excluded.read_text() + f"{tested['parent']} blurred\n")
    assert jobs(project, target) >= {"index", "evaluate", "report"}


def test_images_in_classes_end_in_a_report(project: Project, tmp_path: Path) -> None:
    for label in ("a", "b"):
        for split, count in (("train", 12), ("validation", 4), ("test", 4)):
            for number in range(count):
                image(tmp_path / "own" / split / label / f"{number}.png", seed=100 * ord(label) + 20 * count + number)
    (tmp_path / "own/test/a/broken.jpg").write_bytes(b"\xff\xd8\xff" + b"\0" * 50)
    project.keep_runs("random", "rotation", "random_video")
    project.set("protocols.linear.arguments.penalties", [0.1])
    project.pipeline("add", "mine", str(tmp_path / "own"))
    target = "reports/smoke/mine/table.md"
    project.run("snakemake", "--cores", "all", target)
    assert jobs(project, target) == set()
    table = (project.root / target).read_text()
    measured = json.loads((project.root / "reports/smoke/mine/metrics.json").read_text())["measured"]
    for run in ("random", "rotation"):
        for protocol in ("linear", "knn"):
            assert f"`{run}.{protocol}.top1`" in table
            assert 0 <= measured[run][protocol]["top1"]["value"] <= 1
    assert re.search(r"^- .*`action`.*: needs several frames of a clip", unwrapped(table), re.MULTILINE)
    assert "test/a/broken.jpg" in table
    # A run's protocols are one job.
    assert len(list(project.root.glob("runs/logs/smoke/evaluate/mine/mine.*.log"))) == 2


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_that_has_become_unreadable_is_a_reason_in_the_report(
    project: Project, tmp_path: Path, split: str
) -> None:
    for label in ("a", "b"):
        for name in ("train", "validation", "test"):
            for number in range(4):
                image(
                    tmp_path / "own" / name / label / f"{number}.png", seed=100 * ord(label) + 10 * len(name) + number
                )
    project.keep_runs("rotation", protocols=["linear"])
    project.pipeline("add", "mine", str(tmp_path / "own"))
    for path in (tmp_path / "own" / split).rglob("*.png"):
        path.write_bytes(path.read_bytes()[:60])
    target = "reports/smoke/mine/table.md"
    project.run("snakemake", "--cores", "all", target)
    assert jobs(project, target) == set()
    table = (project.root / target).read_text()
    assert "\n## Measured here\n\nNothing: see below." in table
    missing = table.partition("\n## Not run\n")[2].partition("\n## ")[0]
    assert f"no clip of its {split} split can be used; 8 " in " ".join(missing.split())
    assert "8 of 24 files are used for nothing" in " ".join(table.split())
    # What is trained on can be read, so there is a network; what would be asked of it cannot.
    trained = json.loads((project.root / "runs/smoke/mine/rotation/seed-0/receipt.json").read_text())
    assert ("refused" in trained["notes"]) == (split == "train")


def test_sound_is_decoded_where_there_is_some_and_a_changed_file_is_not_used(project: Project, tmp_path: Path) -> None:
    for number in range(6):
        layout = ("mono", "stereo")[number % 2]
        video(tmp_path / "own" / f"{number}.mp4", seed=number, layout=layout, sample_rate=(44100, 22050)[number % 2])
    video(tmp_path / "silent/0.mp4")
    project.pipeline("add", "heard", str(tmp_path / "own"))
    project.pipeline("add", "silent", str(tmp_path / "silent"))
    assert decoded(project, "heard")["reason"].isna().all()
    assert decoded(project, "silent")["reason"].isna().all()
    assert "drew reports/smoke/heard/figures/show-sheet.png" in project.pipeline("show", "heard").stdout
    # A file that is written over without being listed anew is not used.
    video(tmp_path / "silent/0.mp4", seed=100)
    project.pipeline("decode", "--scale", "smoke", "--dataset", "silent", "--split", "train", "--shard", "0")
    rows = pd.read_parquet(project.root / "data/decoded/smoke/silent/train-000.parquet")
    assert rows["reason"].tolist() == ["changed since it was listed"]


def test_sounds_alone_give_a_report_of_what_needs_no_pictures(project: Project, tmp_path: Path) -> None:
    for number in range(4):
        sound(tmp_path / "own/low" / f"{number}.wav")
        sound(tmp_path / "own/high" / f"{number}.flac", channels=2)
    project.keep_runs("random", "rotation", "random_sound", "supervised_sound")
    project.pipeline("add", "mine", str(tmp_path / "own"))
    project.run("snakemake", "--cores", "all", "reports/smoke/mine/table.md")
    table = (project.root / "reports/smoke/mine/table.md").read_text()
    runs, protocols = re.findall(r"^- (.*): needs pictures, and `mine` has sound only$", unwrapped(table), re.MULTILINE)
    assert "`rotation`" in runs
    assert "`linear`" in protocols
    assert "`supervised_sound.sound_svm.top1_few`" in table
    refused = project.pipeline("audit", "rotation.linear.top1", "--dataset", "mine", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: rotation.linear.top1: ")


def test_images_without_classes_are_pretrained_on_alone(project: Project, tmp_path: Path) -> None:
    for number in range(120):
        image(tmp_path / "own" / f"{number}.png", seed=number)
    project.keep_runs("random", "rotation")
    project.pipeline("add", "mine", str(tmp_path / "own"))
    project.run("snakemake", "--cores", "all", "reports/smoke/mine/table.md")
    table = (project.root / "reports/smoke/mine/table.md").read_text()
    assert re.search(r"^- .*`linear`.*: needs labels, and `mine` has none$", unwrapped(table), re.MULTILINE)
    assert re.findall(r"\(figures/([\w-]+).png\): ", table) == ["training-curves"]
    assert (project.root / "runs/smoke/mine/rotation/seed-0/model.safetensors").exists()
    assert "nothing differs" in project.pipeline("audit", "--verify", "--dataset", "mine").stdout
    refused = project.pipeline("audit", "--dataset", "mine", check=False)
    assert refused.returncode == 1
    expected = "no protocol can be run on mine, so it has no number; reports/smoke/mine/table.md says why"
    assert refused.stderr == f"error: {expected}\n"


def test_what_cannot_be_added_is_one_line(project: Project, tmp_path: Path) -> None:
    image(tmp_path / "own/a.png")
    for arguments, expected in (
        (["Mine", str(tmp_path / "own")], "expected at most 60 small letters"),
        (["toyworld", str(tmp_path / "own")], "is there already, and is no folder of somebody's own"),
        (["mine", str(tmp_path / "none")], "there is no such folder"),
    ):
        done = project.pipeline("add", *arguments, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert expected in done.stderr
        assert done.stderr.count("\n") == 1
    undecoded = project.pipeline("show", "toyworld", check=False)
    assert undecoded.returncode == 1
    assert "is not decoded yet at scale smoke; `snakemake --cores all data/decoded/smoke/toyworld" in undecoded.stderr
