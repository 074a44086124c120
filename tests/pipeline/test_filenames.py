"""Any file name becomes text and is found again."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.filenames import from_text, openable, to_id, to_text

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name)


@given(NAMES)
def test_any_bytes_come_back(name: bytes) -> None:
    path = Path(os.fsdecode(name))
    for text in (to_text(path), to_id(path)):
        assert text.isprintable()
        text.encode()  # Parquet and YAML take it
        assert os.fsencode(from_text(text)) == os.fsencode(path)


@given(NAMES)
def test_an_id_ends_at_no_space_and_names_no_window(name: bytes) -> None:
    assert not any(character.isspace() or character == "@" for character in to_id(os.fsdecode(name)))


def test_usual_names_stand_as_they_are() -> None:
    assert to_text("a b/Größe 猫.mp4") == "a b/Größe 猫.mp4"
    assert to_text(b"caf\xe9 100%\n.mp4".decode("utf-8", "surrogateescape")) == "caf%E9 100%25%0A.mp4"
    assert from_text("100% sure.mp4") == Path("100% sure.mp4")


def test_a_name_that_is_no_utf8_can_be_opened_under_another(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_text("here")
    with openable(path) as name:
        assert str(name).isascii()
        assert name.suffix == ".txt"
        assert name.read_text() == "here"
