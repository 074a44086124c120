"""Where things stand, how large they are and when they move tells neither a label nor the direction of time."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import f_oneway

from pipeline.datasets.toyworld import ACTIONS, CLASSES, events, motion
from pipeline.datasets.toyworld.staging import Setting, stage

TIMES = np.arange(6) / 3
SIDE = 96


@pytest.mark.slow
def test_places_and_sizes_tell_no_label() -> None:
    rows, classes, acts = [], [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        label, action = CLASSES[seed % 10], ACTIONS[(seed // 10) % 10]
        setting = Setting(TIMES, SIDE, 1.0, np.array([50.0, 0.0, 0.0]))
        staged = stage(label, action, False, motion.strokes(2.0, rng), setting, rng)
        layers = [layer for group in staged.groups for layer in group]
        numbers = {thing.role: number for number, thing in enumerate(staged.things)}
        main = next(layer for layer in layers if staged.things[layer.instance].role == "main")
        body = np.ptp(staged.joints[:, :, 1], axis=1).max()
        rows.append([*main.poses[0, :, 2], staged.joints[:, 0, 0].mean(), body, staged.things[numbers["main"]].degrees])
        classes.append(seed % 10)
        acts.append((seed // 10) % 10)
    values = np.array(rows)
    assert np.ptp(values[:, :2], axis=0).min() > 0.3 * SIDE
    for column in (0, 1, 2, 4):
        assert f_oneway(*(values[np.array(classes) == one, column] for one in range(10))).pvalue > 1e-3
        assert f_oneway(*(values[np.array(acts) == one, column] for one in range(10))).pvalue > 1e-3
    # How tall a body is at most is its size, whatever it does, but for arms that are raised or a jump.
    assert f_oneway(*(values[np.array(classes) == one, 3] for one in range(10))).pvalue > 1e-3


def test_strokes_come_alike_at_all_times_of_a_clip_and_leave_stillness() -> None:
    rng = np.random.default_rng(0)
    for seconds in (0.5, 1.0, 2.0, 5.0):
        played = [motion.strokes(seconds, rng).onsets for _ in range(1500)]
        assert all(one[0] > -motion.LEAD and 0 < one[-1] < seconds for one in played)
        if seconds < 2:
            continue  # where a clip is so short that it often has to be drawn again
        counts, _ = np.histogram(np.concatenate(played), np.linspace(0.1, seconds - 0.1, 9))
        assert np.ptp(counts) < 0.15 * counts.mean()
        longest = [np.diff(np.concatenate([[0], one[one > 0], [seconds]])).max() for one in played]
        assert np.quantile(longest, 0.05) > 0.35


def covered(drawn: events.Drawn) -> NDArray[np.float64]:
    return np.sum([opacity for _, _, opacity in drawn], axis=0)


def test_smoke_fades_drops_leave_and_what_has_fallen_lies_still() -> None:
    times = np.arange(0, 3, 0.02)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        smoke = covered(events.smoke(times, 0.5, SIDE, rng))
        assert not smoke[times <= 0.5].any()
        assert 0 < smoke[-1] < 0.3 * smoke.max() or not smoke[-1]
        splash = events.splash(times, 0.5, SIDE, rng)
        assert not covered(splash)[times <= 0.5].any()
        assert not covered(splash)[-1]
        fallen = events.drop(times, 0.5, 20.0, SIDE)
        assert not fallen[times <= 0.5].any()
        assert fallen.max() <= 20
        assert np.ptp(fallen[-20:]) < 1e-9
        assert np.abs(np.diff(fallen)).max() < 4
