"""Ceilings: what the networks are given and what they can tell; the untrained twin is told apart from what was
learned."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from pipeline.parameters import read_parameters
from pipeline.parameters.models import ShortcutSettings
from pipeline.shortcuts.trials import BLIND, ORDERED, SOUND, Trial, compare, encoder_of, trial
from pipeline.store.shards import ShardWriter
from pipeline.store.source import StoreSource
from pipeline.store.streams import Stream
from selfsup.networks.encoder import Window
from selfsup.probes.ceilings import CONTRAST, Frames, Sound, with_motion

pytestmark = pytest.mark.slow

SIDE, COUNT, RATE = 32, 12, 200.0
SMALLEST = 12  # sizes of the square at its smallest: which of them, hides which frames of a clip are looked at
STREAMS = {"frames": Stream("uint8", (SIDE, SIDE, 3), None), "spectrogram": Stream("float32", (257,), RATE)}


@pytest.fixture(scope="module")
def settings() -> ShortcutSettings:
    read = read_parameters()
    return read.at("smoke").shortcuts.model_copy(update={"penalties": [0.1], "few_labels": 5})


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, StoreSource]:
    """Clips in which a square grows or shrinks (action), and a tone is high or low (sounding)."""
    folder = tmp_path_factory.mktemp("store")
    rng = np.random.default_rng(0)
    found = {}
    for split, clips in (("train", 160), ("validation", 40), ("test", 60)):
        rows = []
        with ShardWriter(folder / f"{split}-000.arrow", STREAMS) as writer:
            for number in range(clips):
                action, sounding = rng.integers(2, size=2)
                frames = rng.integers(0, 60, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
                top, left = rng.integers(0, SIDE - SMALLEST - COUNT, size=2)
                smallest = 2 + rng.integers(SMALLEST)
                for at in range(COUNT):
                    side = smallest + (at if action else COUNT - 1 - at)
                    frames[at, top : top + side, left : left + side] = 250
                sound = rng.normal(-6, 1, (192, 257)).astype(np.float32)
                tone = rng.integers(10, 100) + 120 * sounding
                sound[:, tone : tone + 12] += 5
                name = f"d/{split}/{number}"
                rows.append(
                    {"id": name, "parent": name, "start": 0.0, "end": 0.88, "frame_times": np.arange(COUNT) * 0.08}
                    | {"shard": f"{split}-000", "reason": None, "split": split}
                    | {"offset": writer.append({"frames": frames, "spectrogram": sound})}
                    | {"label_action": "ab"[action], "label_sounding": "ab"[sounding]}
                )
        labels = {"action": ["a", "b"], "sounding": ["a", "b"]}
        found[split] = StoreSource(Path(folder), pd.DataFrame(rows), "clips", labels)
    return found


def accuracies(one: Trial) -> tuple[float, float]:
    return float(one.correct.mean()), float(one.untrained.mean())


def test_averaging_forgets_the_order_and_nothing_else(sources: Mapping[str, StoreSource]) -> None:
    frames = torch.randint(0, 255, (2, 4, 3, SIDE, SIDE), dtype=torch.uint8)

    def maps(ordered: bool, shown: Tensor) -> Tensor:
        torch.manual_seed(0)
        encoder = Frames(widths=[8, 16], side=SIDE, window=Window(4, 0.5), ordered=ordered).eval()
        last = encoder.blocks(encoder.prepare({"frames": shown}))[-1]
        assert last.shape[1] == encoder.channels[-1]
        return last

    shuffled = frames[:, [2, 0, 3, 1]]
    torch.testing.assert_close(maps(False, frames), maps(False, shuffled))
    assert not torch.allclose(maps(True, frames), maps(True, shuffled))
    torch.testing.assert_close(maps(True, frames).unflatten(1, (4, 16)).mean(dim=1), maps(False, frames))


def test_what_moves_is_what_differs_from_the_mean_picture() -> None:
    clip = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(0)).expand(2, 4, 3, 8, 8).clone()
    still = with_motion(clip)
    assert torch.equal(still[:, :, :3], clip)
    torch.testing.assert_close(still[:, :, 3:], torch.zeros(2, 4, 3, 8, 8))
    # One pixel of the second of four pictures: three quarters of its change there, a quarter less in the others.
    clip[:, 1, :, 2, 3] += 0.4
    moved = with_motion(clip)[:, :, 3:]
    expected = CONTRAST * torch.tensor([-0.1, 0.3, -0.1, -0.1])
    torch.testing.assert_close(moved[:, :, :, 2, 3], expected[None, :, None].expand(2, 4, 3))
    moved[:, :, :, 2, 3] = 0
    torch.testing.assert_close(moved, torch.zeros_like(moved))


def test_sound_keeps_its_frequencies_apart() -> None:
    encoder = Sound(widths=[8, 16], side=SIDE, window=Window(160, 0.8))
    sound = torch.full((1, 160, 257), -11.5, dtype=torch.float32)
    sound[:, :, 101:105] = 0
    picture = encoder.prepare({"spectrogram": sound})
    assert picture.shape == (1, 3, 64, 40)
    assert picture[0, 0, :, 0].argmax() == 25


def test_ordered_frames_tell_what_averaged_ones_cannot(
    sources: Mapping[str, StoreSource], settings: ShortcutSettings
) -> None:
    schedule = settings.ceilings.action.model_copy(update={"steps": 150, "warmup_steps": 5})
    ceilings = settings.ceilings.model_copy(update={"action": schedule})
    longer = settings.model_copy(update={"ceilings": ceilings})
    ordered, blind = (trial(task, sources, longer, "cpu", None) for task in (ORDERED, BLIND))
    assert accuracies(ordered)[0] > 0.9
    assert accuracies(blind)[0] < 0.7
    gap = compare("order", ordered.correct, blind.correct, ordered.clusters, read_parameters().bootstrap).gap
    assert gap.low > 0


def test_sound_is_compared_with_few_labels_too(sources: Mapping[str, StoreSource], settings: ShortcutSettings) -> None:
    one = trial(SOUND, sources, settings, "cpu", None)
    assert one.few is not None
    untrained, trained = one.few
    assert untrained.shape == trained.shape == (settings.few_draws, 60)
    assert set(np.unique(untrained)) <= {0, 1}
    again = trial(SOUND, sources, settings, "cpu", None)
    np.testing.assert_array_equal(again.correct, one.correct)
    np.testing.assert_array_equal(again.few, one.few)


def test_windows_lie_within_the_clip(settings: ShortcutSettings) -> None:
    for task, stream in ((ORDERED, "frames"), (SOUND, "spectrogram")):
        made, arguments = encoder_of(task, 1.92, settings)
        window = made(**arguments).windows[stream]
        assert 0.8 * 1.92 < window.seconds < 1.92
    assert made(**arguments).windows["spectrogram"].steps == 1 + round(window.seconds * RATE)
