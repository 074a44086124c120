import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from selfsup.views.sound import random_stretch, random_volume, stretch, volume

FLOOR = 1e-5


def log_spectrogram(waveform: Tensor) -> Tensor:
    """(B, samples) -> (B, T, F), as the store has it."""
    window = torch.hann_window(480)
    spectrum = torch.stft(waveform, 512, hop_length=240, win_length=480, window=window, return_complex=True)
    return (spectrum.abs() + FLOOR).log().transpose(1, 2)


def test_a_change_worked_by_hand() -> None:
    # A magnitude of 2, a tenth louder, is 2.2.
    louder = volume(torch.full((1, 2, 3), math.log(2)), torch.tensor([1.1]))
    torch.testing.assert_close(louder, torch.full((1, 2, 3), math.log(2.2)))


@given(st.floats(0.9, 1.1))
@settings(deadline=None, max_examples=20)
def test_is_what_a_louder_waveform_gives(factor: float) -> None:
    waveform = 0.1 * torch.randn(2, 4800, generator=Generator().manual_seed(0))
    ours = volume(log_spectrogram(waveform), torch.tensor([factor, factor]))
    torch.testing.assert_close(ours, log_spectrogram(factor * waveform), rtol=0, atol=0.002)


def test_silence_moves_with_the_volume_by_what_is_said() -> None:
    silence = log_spectrogram(torch.zeros(1, 4800))
    moved = volume(silence, torch.tensor([0.9])) - silence
    assert moved.abs().max() == pytest.approx(0.105, abs=0.001)


def test_an_entry_has_one_factor_within_a_tenth() -> None:
    spectrograms = torch.zeros(1000, 4, 5)
    factors = random_volume(spectrograms, Generator().manual_seed(0)).exp()
    assert torch.equal(factors, factors[:, :1, :1].expand_as(factors))
    assert factors.min() == pytest.approx(0.9, abs=0.002)
    assert factors.max() == pytest.approx(1.1, abs=0.002)
    assert factors.mean() == pytest.approx(1, abs=0.01)


def test_no_change_leaves_everything_as_it_is() -> None:
    spectrograms = torch.randn(3, 4, 5)
    assert torch.equal(random_volume(spectrograms, Generator(), change=0), spectrograms)


def test_stretches_worked_by_hand() -> None:
    sound = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]])
    assert stretch(sound, torch.tensor([2, 0]), 2).tolist() == [[2, 3], [4, 5]]


def test_every_entry_has_its_own_start_and_all_are_as_likely() -> None:
    sound = torch.arange(10).expand(4000, 10)
    stretches = random_stretch(sound, Generator().manual_seed(0), steps=7)
    assert torch.equal(stretches - stretches[:, :1], torch.arange(7).expand(4000, 7))
    assert (stretches[:, 0].bincount() / 4000).tolist() == pytest.approx([0.25] * 4, abs=0.03)


def test_whole_sounds_come_back_unchanged() -> None:
    spectrograms = torch.randn(3, 8, 5)
    assert torch.equal(random_stretch(spectrograms, Generator(), steps=8), spectrograms)


def test_longer_stretches_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot take 9 steps of 8"):
        random_stretch(torch.zeros(1, 8, 2), Generator(), steps=9)


def test_the_generator_alone_decides() -> None:
    spectrograms = torch.zeros(8, 3, 2)
    first, again, other = (random_volume(spectrograms, Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
