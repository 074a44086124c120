"""What each cue sees of a clip, and what it does not see."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.shortcuts.clips import decoded
from pipeline.shortcuts.values import CUES, Clip, values_of

MakeClip = Callable[[int], Clip]


@pytest.fixture
def one(make_clip: MakeClip) -> Clip:
    return make_clip(0)


def changed(one: Clip, **parts: np.ndarray) -> Clip:
    return Clip(**{**one.__dict__, **parts})


def test_played_backwards_an_arrow_changes_its_sign(one: Clip) -> None:
    # What leads into a frame leads out of it then: of the first frame nothing is known either way.
    flow = np.concatenate([np.zeros_like(one.flow[:1]), -one.flow[:0:-1]])
    reverted = {name: getattr(one, name)[::-1] for name in ("frames", "spectrogram", "visible", "centre")}
    backwards = changed(one, flow=flow, **reverted)
    forward, back = values_of(one, 8), values_of(backwards, 8)
    assert forward.keys() == CUES.keys()
    for cue, values in forward.items():
        np.testing.assert_allclose(back[cue].arrow, -values.arrow, atol=1e-5, err_msg=cue)
        assert cue == "clip length" or np.abs(values.arrow).max() > 0


def test_the_background_does_not_see_what_is_cut_out(one: Clip) -> None:
    other = changed(one, frames=np.where(one.visible[..., None], one.frames, 255 - one.frames))
    for part in ("summary", "frames", "arrow"):
        first, second = (getattr(values_of(each, 8)["background"], part) for each in (one, other))
        np.testing.assert_allclose(first, second, atol=1e-6)
    assert not np.allclose(values_of(one, 8)["mean colour"].summary, values_of(other, 8)["mean colour"].summary)


def test_the_background_does_not_show_the_silhouette_that_was_cut_out(one: Clip) -> None:
    """Before an even wall nothing of a silhouette is left, wherever it is and however much it hides."""
    wall = np.full_like(one.frames, 90)
    hidden = np.zeros_like(one.visible)
    hidden[:, :2, :2] = True
    shown = [
        values_of(changed(one, frames=wall, visible=visible), 8)["background"].frames
        for visible in (one.visible, ~one.visible, hidden, np.ones_like(hidden))
    ]
    for other in shown[1:]:
        np.testing.assert_allclose(other, shown[0], atol=1e-5)


def test_the_centre_of_motion_is_where_something_moves_against_the_frame(one: Clip) -> None:
    flow = np.full((len(one.times), 16, 16, 2), 1.125, np.float32)
    flow[:, 2:4, 10:12] = -3.75
    centre = values_of(changed(one, flow=flow), 8)["position of motion"]
    np.testing.assert_allclose(centre.summary, [11 / 16, 3 / 16], atol=1e-6)


def test_a_keyframe_is_told_by_its_number(one: Clip) -> None:
    """A frame that is sharper than its neighbours stands out at its own place, whatever the picture."""
    blurred = one.frames // 4
    blurred[6] = one.frames[6]
    phases = values_of(changed(one, frames=blurred), 8)["keyframe phase"].summary.reshape(-1, 2)
    assert phases[:, 0].argmax() == 5  # inner frames are counted from the second


def test_loudness_is_that_of_the_sound_while_a_frame_is_shown(one: Clip) -> None:
    loud = np.full((round(len(one.times) * 0.08 * one.rate), 257), -6, np.float32)
    loud[16 * 4 : 16 * 5] = -1
    level = values_of(changed(one, spectrogram=loud), 8)["loudness"].frames[:, 0]
    assert level.argmax() == 4
    assert level[4] - level[3] == pytest.approx(20 * 5 / np.log(10), abs=0.1)
    silent = values_of(changed(one, spectrogram=loud[:0]), 8)["loudness"]
    assert np.isfinite(silent.summary).all()


def test_run_lengths_begin_with_what_is_off() -> None:
    assert decoded(np.array([2, 3, 1])).tolist() == [False, False, True, True, True, False]
    assert decoded(np.array([0, 2])).tolist() == [True, True]
    assert decoded(np.array([4])).tolist() == [False] * 4
