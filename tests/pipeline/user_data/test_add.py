"""`add`: what it says of a folder, the card that it writes, what it refuses."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline.cards import read_card
from pipeline.errors import UserError
from pipeline.user_data.add import add
from tests.media import image, sound, video
from tests.project import enter_settings

OUTPUT = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With its settings and cards, and without data."""
    root = tmp_path / "repository"
    root.mkdir()
    enter_settings(root, monkeypatch)
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "own files"


def test_videos_of_several_kinds(folder: Path, capsys: OUTPUT) -> None:
    for number in range(4):
        video(folder / "walk" / f"{number}.mp4", seed=number, frames=30, rate=15, size=(80, 60))
        video(folder / 'ru"n' / f"{number}.mkv", seed=number, frames=20, rate=25, size=(64, 96))
    (folder / "walk/empty.mp4").touch()
    (folder / "walk/text.mp4").write_text("no video\n" * 50)
    (folder / "walk/[bold].mp4").write_bytes((folder / "walk/0.mp4").read_bytes()[:1500])
    (folder / "walk" / os.fsdecode(b"caf\xe9\n.mp4")).write_bytes((folder / "walk/0.mp4").read_bytes())
    add("mine", folder, "", replace=False)
    said = capsys.readouterr().out
    assert "12 video files, 9 usable, 3 not" in said
    (line,) = [line for line in said.splitlines() if line.startswith("all ")]
    assert sum(map(int, re.findall(r"(?<!\+)\b\d+", line))) == 9
    assert sum(map(int, re.findall(r"\+(\d+) not usable", line))) == 3
    assert "15 (5), 25 (4)" in said
    assert "walk/empty.mp4: is empty" in said
    assert "walk/text.mp4: is of no type that is known here" in said
    assert "walk/[bold].mp4: cannot be decoded" in said
    card = read_card("mine")
    assert card.modality == "video"
    assert card.labels["class"].classes == ['ru"n', "walk"]
    assert card.main == "class"
    assert card.files == {"train": 7, "validation": 2, "test": 3}
    assert card.root == str(folder)
    assert not [path for path in Path("data").rglob("*") if path.suffix in (".mp4", ".mkv")]


@pytest.mark.parametrize(("silent", "modality"), [(0, "audio-visual"), (4, "video")])
def test_sound_makes_videos_audio_visual(folder: Path, silent: int, modality: str, capsys: OUTPUT) -> None:
    for number in range(4):
        layout = None if number < silent else ("mono", "stereo")[number % 2]
        video(folder / "a" / f"{number}.mp4", layout=layout)
        video(folder / "b" / f"{number}.mp4", layout=layout, seed=1)
    add("mine", folder, "", replace=False)
    assert read_card("mine").modality == modality
    assert f"with sound       {8 - 2 * silent} of 8" in capsys.readouterr().out


def test_files_of_no_known_type_are_named(folder: Path, capsys: OUTPUT) -> None:
    video(folder / "a.mp4")
    image(folder / "cover.png")
    for name in ("tape.dv", "b/[notes]", "list.m3u"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("a.mp4")
    add("mine", folder, "video", replace=False)
    said = capsys.readouterr().out.replace("\n", " ")
    assert "of no type that is known here are left alone: b/[notes], list.m3u, tape.dv" in said
    assert "files of other kinds are left alone: 1 .png" in said


def test_sounds(folder: Path, capsys: OUTPUT) -> None:
    for number, ending in enumerate(("wav", "flac", "ogg", "mp3")):
        sound(folder / "low" / f"a.{ending}", sample_rate=22050, channels=1 + number % 2)
        sound(folder / "high" / f"a.{ending}", sample_rate=48000)
    (folder / "low/broken.wav").write_bytes(b"RIFF" + bytes(range(100)))
    add("mine", folder, "", replace=False)
    said = capsys.readouterr().out
    assert read_card("mine").modality == "audio"
    assert "22050 Hz (4)" in said
    assert "48000 Hz (4)" in said
    assert "low/broken.wav: is of no type that is known here" in said


def test_images_of_every_kind(folder: Path, capsys: OUTPUT) -> None:
    kinds = [
        ("jpg", "L"),
        ("jpg", "CMYK"),
        ("png", "P"),
        ("png", "RGBA"),
        ("png", "I;16"),
        ("webp", "RGB"),
        ("gif", "P"),
    ]
    for number, (ending, mode) in enumerate([*kinds, ("bmp", "RGB"), ("tiff", "RGB")]):
        if mode == "I;16":
            Image.fromarray(np.linspace(0, 65535, 1200).reshape(30, 40).astype(np.uint16)).save(folder / "a/grey.png")
            continue
        image(folder / "ab"[number % 2] / f"{number}.{ending}", mode=mode, seed=number)
    whole = image(folder / "b/whole.jpg", size=(400, 300)).read_bytes()
    (folder / "b/cut.jpg").write_bytes(whole[: len(whole) // 2])
    add("mine", folder, "", replace=False)
    said = capsys.readouterr().out
    assert read_card("mine").modality == "image"
    assert "11 image files, 10 usable, 1 not" in said
    assert "b/cut.jpg: cannot be decoded: OSError: image file is truncated" in said


def test_class_names_that_yaml_would_take_for_something_else(folder: Path) -> None:
    names = ["yes", "1e3", "null", "# no", "- a: b", "{x}", "Größe 猫", "100%", os.fsdecode(b"caf\xe9")]
    for name in names:
        image(folder / name / "a.png")
    add("mine", folder, "", replace=False)
    expected = sorted(["100%25", "caf%E9", *names[:-2]])
    assert read_card("mine").labels["class"].classes == expected
    text = Path("data/cards/mine.yaml").read_text()
    assert text.startswith("# Written by `python -m pipeline add`")
    assert yaml.safe_load(text)["files"] == {"train": 9}


def test_a_folder_for_pretraining_alone(folder: Path, capsys: OUTPUT) -> None:
    for number in range(5):
        image(folder / f"{number}.png")
    add("flat", folder, "", replace=False)
    assert "no class folders: for pretraining alone" in capsys.readouterr().out
    for number in range(5):
        image(folder / "one" / f"{number}.png")
        (folder / f"{number}.png").unlink()
    add("one", folder, "", replace=False)
    assert "one class only, 'one': for pretraining alone" in capsys.readouterr().out.replace("\n", " ")
    for name in ("flat", "one"):
        assert read_card(name).labels == {}
        assert read_card(name).files == {"train": 5}


def test_links_are_named_with_what_they_lead_to(folder: Path, capsys: OUTPUT) -> None:
    for number in range(3):
        image(folder / "a" / f"{number}.png", seed=number)
        image(folder / "b" / f"{number}.png", seed=10 + number)
    image(folder.parent / "elsewhere/x.png", seed=20)
    (folder / "b/gone.png").symlink_to("nowhere")
    (folder / "b/linked").symlink_to("../a")
    (folder / "b/round").symlink_to("../b")
    (folder / "a/outside").symlink_to(folder.parent / "elsewhere")
    (folder / "a/outside/x.png").write_text("broken")
    add("mine", folder, "", replace=False)
    words = " ".join(capsys.readouterr().out.split())
    assert "b/gone.png -> nowhere: link to nothing" in words
    assert "b/round -> ../b: link to a folder that it lies in" in words
    assert f"a/outside/x.png (a/outside -> {folder.parent / 'elsewhere'}): is of no type" in words
    assert "13 image files, 9 usable, 4 not" in words
    assert "b/linked/0.png (b/linked -> ../a) is a/0.png; b/linked/1.png" in words
    assert "is a link, followed" not in words
    assert "are links, followed" not in words
    text = Path("data/cards/mine.yaml").read_text()
    assert sum(read_card("mine").files.values()) == 13
    counts = re.findall(r'- "[ab]"  # ([\d, ]+)', text)
    assert sum(int(one) for line in counts for one in line.split(", ")) == 9


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mine", "expected at most 60 small letters"),
        ("a b", "expected at most 60 small letters"),
        ("../x", "expected at most 60 small letters"),
        ("", "expected at most 60 small letters"),
        ("logs", "expected a name other than fingerprints, logs, benchmarks"),
        ("taken", "data/cards/taken.yaml: is there already; choose another name, or count anew with `add --replace`"),
        ("made", "is there already, and is no folder of somebody's own"),
    ],
)
def test_names_that_cannot_be_used(folder: Path, name: str, expected: str) -> None:
    image(folder / "a.png")
    add("taken", folder, "", replace=False)
    card = Path("data/cards/taken.yaml").read_text()
    made = card.replace("name: taken", "name: made").replace("kind: folder", "kind: rendered")
    Path("data/cards/made.yaml").write_text(made)
    with pytest.raises(UserError) as raised:
        add(name, folder, "", replace=name == "made")
    assert expected in str(raised.value)
    assert Path("data/cards/taken.yaml").read_text() == card


def test_folders_of_which_nothing_can_be_used(folder: Path) -> None:
    def refused(expected: str, medium: str = "") -> None:
        with pytest.raises(UserError, match=expected):
            add("mine", folder, medium, replace=False)
        assert not list(Path("data/cards").glob("*mine*"))

    refused("there is no such folder")
    folder.mkdir()
    refused("expected files of one of image .*; found no file")
    (folder / "notes.txt").touch()
    refused(r"found 1 \.txt")
    (folder / "a.mp4").write_text("none")
    refused("none of 1 video files can be opened; the first is of no type that is known here")
    image(folder / "a.png")
    refused("found 1 .* and 1 .* files; say which to take: --medium")
    refused("--medium: expected image, video, audio, found 'vidoe'; did you mean 'video'", medium="vidoe")
    refused("expected audio files, found none", medium="audio")
    add("mine", folder, "image", replace=False)
    assert read_card("mine").modality == "image"


def test_it_runs_in_the_repositorys_root_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image(folder / "a.png")
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match="run from the repository's root"):
        add("mine", folder, "", replace=False)
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_a_folder_inside_the_repository_moves_with_it(repository: Path) -> None:
    image(repository / "data/own/a.png")
    add("mine", Path("data/own"), "", replace=False)
    assert read_card("mine").root == "data/own"


def test_a_card_is_counted_anew_when_asked_for(folder: Path) -> None:
    image(folder / "a.png")
    add("mine", folder, "", replace=False)
    image(folder / "b.png")
    add("mine", folder, "", replace=True)
    assert read_card("mine").files == {"train": 2}
