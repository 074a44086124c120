"""Why a file is used for nothing is said without what changes from run to run, by whoever finds out."""

import pytest

from pipeline.media.unusable import Unusable, crashed, reason, silent


class DecordError(Exception):
    """As decord says it: with a time and a place."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unusable("is empty"), "is empty"),
        (MemoryError(), "needs more than the 600 MB of store.file_memory_mb"),
        (PermissionError(13, "Permission denied", "a.mp4"), "cannot be read: Permission denied"),
        # FFmpeg's errors are the system's by type.
        (OSError(22, "Invalid data found", "a.mp4"), "cannot be decoded: OSError: Invalid data found"),
        (
            DecordError("[12:00:01] /x/y.cc:3: no stream at 0x7f01\nstack"),
            "cannot be decoded: DecordError: no stream at 0x...",
        ),
        (ValueError(), "cannot be decoded: ValueError"),
    ],
)
def test_a_reason_is_one_line_that_stays_the_same(error: Exception, said: str) -> None:
    assert reason(error, memory_mb=600) == said


def test_a_decoder_that_fails_as_a_process_is_told_by_what_it_did() -> None:
    assert silent(3.2) == "its decoder was silent for 3 s (store.file_seconds)"
    assert crashed(-11) == "its decoder crashed (SIGSEGV)"
    assert crashed(3) == "its decoder crashed (exit code 3)"
    assert crashed(None) == "its decoder crashed (and did not end)"
