"""Somebody's own folder: which files are used, as which class, in which split."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.datasets.folder.arrangement import File, arrange, classes_of
from pipeline.datasets.folder.formats import medium_of
from pipeline.datasets.folder.listing import Folder
from pipeline.datasets.folder.walk import Entry, digest, walk
from pipeline.errors import UserError
from pipeline.filenames import from_text
from pipeline.files import md5_of

TENTHS = {"test": 0.1, "validation": 0.1}


def tree(root: Path, *names: str) -> list[File]:
    """Files of these names, each holding its own, arranged as videos."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return arrange(walk(root), "video", TENTHS)


def in_split(files: list[File], split: str) -> set[str]:
    return {file.relative.as_posix() for file in files if file.split == split and file.reason is None}


def many(folder: str, count: int) -> list[str]:
    return [f"{folder}/{number:03d}.mp4" for number in range(count)]


def test_splits_of_their_own_stay_as_they_are(tmp_path: Path) -> None:
    files = tree(tmp_path, "train/cat/a.mp4", "train/dog/b.mkv", "val/cat/c.mp4", "test/dog/sub/d.WEBM")
    assert {(file.name, file.split, file.label) for file in files} == {
        ("cat/a.mp4", "train", "cat"),
        ("dog/b.mkv", "train", "dog"),
        ("cat/c.mp4", "validation", "cat"),
        ("dog/sub/d.WEBM", "test", "dog"),
    }


def test_a_missing_validation_split_is_taken_from_train_alone(tmp_path: Path) -> None:
    files = tree(tmp_path, *many("train/cat", 50), *many("train/dog", 20), *many("test/cat", 5))
    assert in_split(files, "test") == set(many("test/cat", 5))
    held = in_split(files, "validation")
    assert {file.label for file in files if file.split == "validation"} == {"cat", "dog"}
    assert len(held) < 20
    assert held < set(many("train/cat", 50) + many("train/dog", 20))


def test_a_flat_folder_is_split_by_the_hash_of_names(tmp_path: Path) -> None:
    names = [*many("cat", 40), *many("dog", 30)]
    first, second = tree(tmp_path / "here", *names), tree(tmp_path / "elsewhere", *names)
    assert first == second
    assert {(file.label, file.split) for file in first} == {(c, s) for c in ("cat", "dog") for s in (*TENTHS, "train")}


def splits_of(names: Iterable[str], held_out: Mapping[str, float] = TENTHS) -> dict[str, str]:
    """Of files of one class, beside another."""
    paths = [PurePath("dog/0.mp4"), *(PurePath("cat", f"{name}.mp4") for name in names)]
    files = arrange([Entry(path, 1, 0, False, None) for path in paths], "video", held_out)
    return {file.relative.stem: file.split for file in files if file.label == "cat"}


def test_a_tenth_goes_into_each_split() -> None:
    counts = Counter(splits_of(map(str, range(4000))).values())
    # Three standard deviations of 4,000 draws are 57.
    assert counts["test"] == pytest.approx(400, abs=57)
    assert counts["validation"] == pytest.approx(400, abs=57)


NAMES = st.text("abc", min_size=1, max_size=6)


@given(st.lists(NAMES, min_size=1, max_size=40, unique=True), st.sampled_from([0.1, 0.3, 0.5]))
def test_a_new_file_moves_others_only_in_a_small_class_and_two_at_most(names: list[str], share: float) -> None:
    held_out = {"test": share, "validation": 0.1}
    _, *there = names
    before, after = splits_of(there, held_out), splits_of(names, held_out)
    moved = {name for name in there if before[name] != after[name]}
    assert len(moved) <= 2
    # Among many others no split is empty, so that each file is where its own hash has it.
    of_hash = splits_of([*there, *map(str, range(200))], held_out)
    if {of_hash[name] for name in there} == {"train", "test", "validation"}:
        assert not moved
        assert before == {name: of_hash[name] for name in there}


@given(st.sets(NAMES, min_size=3, max_size=12))
def test_a_class_of_three_files_or_more_is_in_every_split(names: set[str]) -> None:
    assert set(splits_of(names).values()) == {"train", "test", "validation"}


@pytest.mark.parametrize(("count", "expected"), [(1, [1, 0, 0]), (2, [2, 0, 0]), (3, [1, 1, 1])])
def test_small_classes_are_in_every_split_from_three_files_on(tmp_path: Path, count: int, expected: list[int]) -> None:
    files = tree(tmp_path, *many("small", count), *many("large", 60))
    of_small = [file.split for file in files if file.label == "small"]
    assert [of_small.count(split) for split in ("train", "validation", "test")] == expected


def test_the_case_of_a_splits_folder_means_nothing(tmp_path: Path) -> None:
    files = tree(tmp_path, "Train/cat/a.mp4", "Train/dog/b.mp4", "TEST/cat/c.mp4", "Valid/dog/d.mp4", "val/dog/d.mp4")
    assert {(file.split, file.label, file.reason) for file in files} == {
        ("train", "cat", None),
        ("train", "dog", None),
        ("test", "cat", None),
        ("validation", "dog", None),
    }
    assert len({(file.split, file.name) for file in files}) == len(files)


def test_a_folder_beside_files_is_no_class(tmp_path: Path) -> None:
    files = tree(tmp_path / "flat", "x.mp4", "y.mp4", "extras/z.mp4")
    files += tree(tmp_path / "divided", "train/x.mp4", "train/extras/z.mp4", "test/y.mp4")
    assert {(file.name, file.label, file.reason) for file in files} == {
        ("x.mp4", None, None),
        ("y.mp4", None, None),
        ("extras/z.mp4", None, None),
    }


def test_trains_may_be_a_class(tmp_path: Path) -> None:
    files = tree(tmp_path, *many("train", 3), *many("car", 3), *many("bus", 3))
    assert classes_of(files) == ["bus", "car", "train"]


def test_files_without_classes_are_all_for_training(tmp_path: Path) -> None:
    files = tree(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    assert {(file.split, file.label) for file in files} == {("train", None)}


def test_a_single_class_holds_nothing_out(tmp_path: Path) -> None:
    files = tree(tmp_path, *many("cat", 30))
    assert {file.split for file in files} == {"train"}


def test_what_lies_beside_is_named(tmp_path: Path) -> None:
    files = tree(tmp_path, "train/cat/a.mp4", "train/dog/b.mp4", "train/loose.mp4", "test/cat/c.mp4", "misc/cat/a.mp4")
    reasons = {file.relative.as_posix(): file.reason for file in files if file.reason}
    assert reasons == {
        "train/loose.mp4": "lies beside the folders of the classes, in none of them",
        "misc/cat/a.mp4": "lies in none of the folders train, validation and test",
    }
    assert len({(file.split, file.name) for file in files}) == len(files)


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    files = tree(tmp_path, "cat/a.mp4", "cat/notes.txt", "cat/.DS_Store", "cat/._a.mp4", ".hidden/b.mp4", "cat/c.jpg")
    assert [file.relative.as_posix() for file in files] == ["cat/a.mp4"]


def test_links_are_followed_or_named(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    tree(root, "cat/a.mp4", "dog/b.mp4")
    tree(outside, "c.mp4", "more/d.mp4")
    links = {
        "c.mp4": outside / "c.mp4",
        "more": outside / "more",
        "loop": root,
        "gone.mp4": "nowhere",
        "x.mp4": "x.mp4",
    }
    for name, target in links.items():
        (root / "cat" / name).symlink_to(target)
    os.mkfifo(root / "dog/pipe.mp4")
    (root / "dog/empty.mp4").touch()
    found = {file.relative.as_posix(): file.reason for file in arrange(walk(root), "video", TENTHS)}
    assert found == {
        "cat/a.mp4": None,
        "cat/c.mp4": None,
        "cat/more/d.mp4": None,
        "cat/loop": "link to a folder that it lies in",
        "cat/gone.mp4": "link to nothing",
        "cat/x.mp4": "link in a circle",
        "dog/b.mp4": None,
        "dog/empty.mp4": "is empty",
        "dog/pipe.mp4": "neither a file nor a folder",
    }


def test_the_list_has_every_name_and_its_own_id(tmp_path: Path) -> None:
    names = [b"a b.mp4", b"a%20b.mp4", b"line\nbreak.mp4", b"quo\"te's.mp4", b"caf\xe9.mp4", "猫@0001.mp4".encode()]
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog/gone.mp4").symlink_to("nowhere")
    for name in names:
        (tmp_path / "cat" / os.fsdecode(name)).write_bytes(name)
    folder = Folder("mine", root=str(tmp_path), medium="video", classes=["cat"], splits=["train"], held_out={})
    rows = list(folder.rows(workers=2))
    assert len({row["id"] for row in rows}) == len(names) + 1
    for row in rows:
        assert row["id"].startswith("mine/train/")
        assert " " not in row["id"]
        if not row["reason"]:
            assert from_text(row["path"]).read_bytes() in names
            assert row["md5"] == md5_of(from_text(row["path"]))
            assert row["label"] == "cat"
    assert [row["reason"] for row in rows if row["reason"]] == ["link to nothing"]


def test_a_class_that_the_card_does_not_name_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, "train/cat/a.mp4", "train/dog/b.mp4", "test/cow/c.mp4")
    given = {"medium": "video", "classes": ["cat", "dog"], "splits": ["train", "test"], "held_out": {}}
    rows = Folder("mine", root=str(tmp_path), **given).rows(workers=1)  # type: ignore[arg-type]
    assert {row["id"]: row["reason"] for row in rows if row["reason"]} == {
        "mine/test/cow/c.mp4": "its folder 'cow' is not among the classes in the card"
    }


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mine.yaml: root: .*there is no such folder"):
        Folder("mine", root=str(tmp_path / "gone"), medium="video", classes=None, splits=["train"], held_out={})


def test_the_digest_changes_with_names_sizes_and_times_and_with_nothing_else(tmp_path: Path) -> None:
    tree(tmp_path, "cat/a.mp4", "dog/b.mp4")
    before = digest(walk(tmp_path))
    assert digest(walk(tmp_path)) == before
    os.utime(tmp_path / "cat/a.mp4", ns=(1, 1))
    touched = digest(walk(tmp_path))
    (tmp_path / "cat/a.mp4").rename(tmp_path / "cat/c.mp4")
    renamed = digest(walk(tmp_path))
    tree(tmp_path, "cat/d.mp4")
    assert len({before, touched, renamed, digest(walk(tmp_path))}) == 4


def test_endings_tell_the_medium() -> None:
    found = {name: medium_of(Path(name)) for name in ("A.MOV", "b.ogv", "c.ogg", "d.gif", "e.txt", "f", "g.tar.flac")}
    assert found == {
        "A.MOV": "video",
        "b.ogv": "video",
        "c.ogg": "audio",
        "d.gif": "image",
        "e.txt": None,
        "f": None,
        "g.tar.flac": "audio",
    }
