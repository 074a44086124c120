"""A file of the disk leads to the dataset that lists it."""

import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.errors import UserError
from pipeline.lineage.audit_clip import clip, dataset_of, scored_clips, show_clip
from pipeline.lineage.provenance import ReportedNumbers
from pipeline.parameters import read_parameters
from pipeline.tables.lecture import Lecture
from tests.project import enter_settings


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a folder that is decoded at scale smoke, beside toyworld and its stills."""
    root = tmp_path / "repository"
    root.mkdir()
    enter_settings(root, monkeypatch)
    card = "name: mine\nkind: folder\nroot: own\nmodality: video\ntitle: t\ndescription: d\nlicence: l\ncitation: c\n"
    Path("data/cards/mine.yaml").write_text(card + "labels: {}\nsplits: [train]\nfiles: {train: 1}\n")
    listed = {"mine": ["own/100%25 of it.mp4"], "toyworld": ["data/raw/a.mp4"], "toyworld-stills": ["data/raw/a.mp4"]}
    for name, files in listed.items():
        index = paths.index("smoke", name, "train")
        index.parent.mkdir(parents=True)
        pd.DataFrame({"path": files * 2}).to_parquet(index)
    Path("own").mkdir()
    Path("own/100% of it.mp4").touch()
    return Path("own/100% of it.mp4")


def test_a_file_is_looked_for_in_every_dataset(own: Path, tmp_path: Path) -> None:
    settings = read_parameters()
    link = tmp_path / "link.mp4"
    link.symlink_to(own.absolute())
    # By its path from here, in full, from the folder that was added, and through a link; or by its id.
    for name in (str(own), str(own.absolute()), own.name, str(link), "mine/train/anything"):
        assert dataset_of(settings, "smoke", name) == "mine"
    assert dataset_of(settings, "smoke", "./data/raw/a.mp4") == "toyworld"


def test_a_file_of_no_dataset_is_named_with_what_was_looked_through(own: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.touch()
    expected = f"{other}: no file of toyworld, mine, toyworld-stills, which is all that is decoded at scale smoke"
    with pytest.raises(UserError, match=re.escape(expected)):
        dataset_of(read_parameters(), "smoke", str(other))


def test_a_mistyped_path_into_an_own_folder_is_answered_from_that_folder(own: Path) -> None:
    index = paths.index("smoke", "mine", "train")
    ids = ["mine/train/100%25%20of%20it.mp4"]
    pd.DataFrame({"path": [str(own)], "id": ids, "parent": ids}).to_parquet(index)
    settings = read_parameters()
    for name in ("own/100% of itt.mp4", str(Path("own/100% of itt.mp4").absolute())):
        assert dataset_of(settings, "smoke", name) == "mine"
        report = ReportedNumbers(settings, "smoke", "mine", {}, Lecture(tables=[], notes=[], published={}))
        with pytest.raises(UserError, match=re.escape("did you mean 'mine/train/100%25%20of%20it.mp4'?")):
            clip(report, name)


def test_every_name_of_a_file_is_told_and_where_a_link_leads(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own.parent / "link.mp4").symlink_to(own.name)
    names = ("100%25 of it.mp4", "link.mp4")
    rows = [
        {"id": id, "parent": id, "path": f"own/{name}", "md5": "0", "split": "train", "reason": None}
        for name in names
        for id in [f"mine/train/{name.replace(' ', '%20')}"]
    ]
    pd.DataFrame(rows).to_parquet(paths.index("smoke", "mine", "train"))
    Path("data/excluded.txt").touch()
    report = ReportedNumbers(
        read_parameters(), "smoke", "mine", evaluations={}, lecture=Lecture(tables=[], notes=[], published={})
    )
    show_clip(report, str(own), as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "mine/train/100%25%20of%20it.mp4   own/100%25 of it.mp4   md5 0   train",
        f"  {tmp_path}/repository/own/link.mp4 is a link to {tmp_path}/repository/own/100%25 of it.mp4",
        "  the same file is listed as mine/train/link.mp4 too",
    ]
    show_clip(report, "mine/train/100% of it.mp4", as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "mine/train/100%25%20of%20it.mp4   own/100%25 of it.mp4   md5 0   train",
        "  mine/train/link.mp4 holds the same bytes: what it touched is told by its own id",
    ]


def test_a_printed_id_is_of_no_file_but_its_own(own: Path) -> None:
    """Although it is how another file's name would be written, with its characters as they are."""
    names = {"a b.mp4": "a%20b.mp4", "a%20b.mp4": "a%2520b.mp4"}
    rows = [
        {"id": f"mine/train/{id}", "parent": f"mine/train/{id}", "path": f"own/{id}", "md5": name, "split": "train"}
        for name, id in names.items()
    ]
    pd.DataFrame(rows).assign(reason=None).to_parquet(paths.index("smoke", "mine", "train"))
    Path("data/excluded.txt").touch()
    report = ReportedNumbers(
        read_parameters(), "smoke", "mine", evaluations={}, lecture=Lecture(tables=[], notes=[], published={})
    )
    for name, id in names.items():
        found = clip(report, f"mine/train/{id}")
        assert (found["clip"], found["md5"], found["also"]) == (f"mine/train/{id}", name, [])


def test_a_path_that_fits_two_folders_is_asked_back(own: Path) -> None:
    card = Path("data/cards/mine.yaml").read_text()
    Path("data/cards/yours.yaml").write_text(card.replace("name: mine", "name: yours"))
    index = paths.index("smoke", "yours", "train")
    index.parent.mkdir(parents=True)
    index.write_bytes(paths.index("smoke", "mine", "train").read_bytes())
    with pytest.raises(UserError, match="a file of each of mine, yours; say which by --dataset"):
        dataset_of(read_parameters(), "smoke", str(own))


def test_a_name_that_is_nothing_is_of_the_dataset_of_params_only_where_that_is_decoded(own: Path) -> None:
    assert dataset_of(read_parameters(), "smoke", "nothing.mp4") == "toyworld"
    paths.index("smoke", "toyworld", "train").unlink()
    with pytest.raises(UserError, match=r"nothing.mp4: no file of mine, toyworld-stills, which is all that is decoded"):
        dataset_of(read_parameters(), "smoke", "nothing.mp4")


def test_a_clip_is_scored_as_an_example_as_the_partner_of_one_or_by_being_found(tmp_path: Path) -> None:
    partner = pa.array([None, "toyworld/test/c@0001"], pa.string())
    found = pa.array([None, ["toyworld/test/a", "toyworld/test/d"]], pa.list_(pa.string()))
    examples = ["toyworld/test/a", "toyworld/test/b"]
    table = pa.table({"parent": examples, "partner": partner, "retrieved": found})
    pq.write_table(table, tmp_path / "predictions.parquet")
    assert scored_clips(tmp_path) == {*examples, "toyworld/test/c@0001", "toyworld/test/d"}
    (tmp_path / "predictions.parquet").write_text("cut")
    with pytest.raises(UserError, match="not a readable file of predictions"):
        scored_clips(tmp_path)
