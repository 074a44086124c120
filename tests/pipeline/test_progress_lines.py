"""What a log says of a loop that takes a while."""

import pytest

from pipeline import progress


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (3, ["33", "66", "100"]),
        (25, ["12", "20", "32", "40", "52", "60", "72", "80", "92", "100"]),
        (1000, ["10", "20", "30", "40", "50", "60", "70", "80", "90", "100"]),
    ],
)
def test_a_log_has_a_line_every_tenth(
    total: int, expected: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET", 0.0)
    assert list(progress.progress(range(total), "decoding", total)) == list(range(total))
    counts = [line.split(", ")[1].split(" of ") for line in capsys.readouterr().err.splitlines()]
    assert [str(100 * int(count) // int(whole)) for count, whole in counts] == expected


def test_a_loop_that_is_soon_over_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.progress(iter("abc"), "decoding", 3)) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_more_items_than_were_told_are_handed_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET", 0.0)
    assert len(list(progress.progress(range(4), "cues", 0))) == 4
    assert capsys.readouterr().err == "cues: 100 %, 1 of 1\n"
