"""A file of the data is known by its id, escaped or not, and by any path that leads to it."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.filenames import to_text
from pipeline.lineage.file_lookup import by_id, by_path, by_written_id, links
from tests.project import enter_settings


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of which one file is a link to another, and one lies in a linked folder."""
    repository, root = tmp_path / "repository", tmp_path / "own 100%"
    repository.mkdir()
    enter_settings(repository, monkeypatch)
    card = "name: mine\nkind: folder\nmodality: video\ntitle: t\ndescription: d\nlicence: l\ncitation: c\nlabels: {}\n"
    Path("data/cards/mine.yaml").write_text(
        f"{card}root: '{to_text(root)}'\nsplits: [train, test]\nfiles: {{train: 1, test: 1}}\n"
    )
    for name in ("train/a b.mp4", "train/c@1.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "test").mkdir()
    (root / "test/link.mp4").symlink_to("../train/a b.mp4")
    (root / "train/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/d.mp4").write_text("d")
    return root


@pytest.fixture
def rows(root: Path) -> pd.DataFrame:
    ids = {
        "train/a b.mp4": "mine/train/a%20b.mp4",
        "train/c@1.mp4": "mine/train/c%401.mp4",
        "train/more/d.mp4": "mine/train/more/d.mp4",
        "test/link.mp4": "mine/test/link.mp4",
    }
    made = [
        {"id": f"{id}@{window:04d}", "parent": id, "path": to_text(root / name)}
        for name, id in ids.items()
        for window in range(2)
    ]
    return pd.DataFrame(made)


def found(rows: pd.DataFrame, name: str) -> set[str]:
    exact = by_id(rows, name) | by_path(rows, name, "mine")
    return set(rows.loc[exact if exact.any() else by_written_id(rows, name), "id"])


def windows(*parents: str) -> set[str]:
    return {f"mine/{parent}@{window}" for parent in parents for window in ("0000", "0001")}


@pytest.mark.parametrize("name", ["mine/train/a%20b.mp4", "mine/train/a b.mp4"])
def test_an_id_may_be_written_with_the_characters_of_the_file(rows: pd.DataFrame, name: str) -> None:
    assert found(rows, name) == windows("train/a%20b.mp4")
    assert found(rows, f"{name}@0001") == {"mine/train/a%20b.mp4@0001"}


def test_what_looks_like_a_window_may_be_a_file(rows: pd.DataFrame) -> None:
    assert found(rows, "mine/train/c@1.mp4") == windows("train/c%401.mp4")
    assert found(rows, "mine/train/c@1.mp4@0001") == {"mine/train/c%401.mp4@0001"}
    assert found(rows, "mine/train/c@1") == set()


def test_a_path_leads_to_every_name_of_its_file(rows: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    both = windows("train/a%20b.mp4", "test/link.mp4")
    outside = tmp_path / "another.mp4"
    outside.symlink_to(root / "test/link.mp4")
    for path in (root / "train/a b.mp4", "train/a b.mp4", root / "test/link.mp4", "test/link.mp4", outside):
        assert found(rows, str(path)) == both
    assert found(rows, f"../{root.name}/train/c@1.mp4") == windows("train/c%401.mp4")  # from here
    assert found(rows, str(tmp_path / "elsewhere/d.mp4")) == windows("train/more/d.mp4")
    assert found(rows, "train/nothing.mp4") == set()


def test_a_link_is_told_with_where_it_leads(rows: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    target = to_text(root / "train/a b.mp4")
    link = to_text(root / "test/link.mp4")
    linked = rows[by_id(rows, "mine/test/link.mp4")]
    assert links(linked, "mine/test/link.mp4", "mine") == {link: target}
    assert links(linked, "test/link.mp4", "mine") == {link: target}
    (tmp_path / "another.mp4").symlink_to(root / "test/link.mp4")
    asked = str(tmp_path / "another.mp4")
    assert links(linked, asked, "mine") == {asked: target, link: target}
    below = rows[by_id(rows, "mine/train/more/d.mp4")]
    expected = {to_text(root / "train/more/d.mp4"): str(tmp_path / "elsewhere/d.mp4")}
    assert links(below, "mine/train/more/d.mp4", "mine") == expected
    assert links(rows[by_written_id(rows, "mine/train/a b.mp4")], "mine/train/a b.mp4", "mine") == {}
