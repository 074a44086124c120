"""Which pairs are drawn, and what is asked of them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from selfsup.methods.audiovisual.ave_net import AVENet, Pairs
from selfsup.methods.audiovisual.pairs import pair_times
from selfsup.networks.convnet import ConvNet
from selfsup.networks.spectrogram_net import SpectrogramNet
from selfsup.training import build

NETWORKS = {
    "vision": (ConvNet, {"widths": [4, 8], "side": 16}),
    "sound": (SpectrogramNet, {"widths": [4, 8], "seconds": 0.5, "pool": 4}),
}
ARGUMENTS = {
    "dims": 8,
    "negatives": "all",
    "grid": 0.08,
    "around": (1.0, 1.5),
    "crop": {"scale": (0.5, 1.0), "ratio": (0.75, 1.333), "flip": 0.5},
}
GRID, SECONDS = 0.08, 0.5


def ave_net(**changes) -> AVENet:
    method = build(AVENet, {**ARGUMENTS, **changes}, NETWORKS, seed=0)
    assert isinstance(method, AVENet)
    return method


@pytest.mark.parametrize("negatives", ["one", "all"])
def test_loss_is_that_of_a_slow_loop_over_pairs(negatives: str) -> None:
    method = ave_net(negatives=negatives).eval()
    generator = Generator().manual_seed(0)
    images, sounds = torch.randn(4, 3, 16, 16, generator=generator), torch.randn(4, 1, 64, 25, generator=generator)
    parents = [5, 7, 7, 9]  # two entries of one long film
    seen = method.vision_embedding(method.vision.blocks(images))
    heard = method.sound_embedding(method.sound.blocks(sounds))

    def surprise(frame: int, sound: int, answer: int) -> float:
        distance = (seen[frame] - heard[sound]).norm()
        return -F.log_softmax(method.answer(distance[None]), dim=0)[answer].item()

    others = range(4) if negatives == "all" else None
    positive = [surprise(number, number, 1) for number in range(4)]
    negative = [
        surprise(frame, sound, 0)
        for frame in range(4)
        for sound in (others or [(frame - 1) % 4])
        if parents[frame] != parents[sound]
    ]
    assert len(negative) == (10 if negatives == "all" else 3)
    expected = (sum(positive) / len(positive) + sum(negative) / len(negative)) / 2
    loss = method.loss(Pairs(images, sounds, torch.tensor(parents)))
    assert loss["correspondence"].item() == pytest.approx(expected, rel=1e-4)


def test_equal_embeddings_are_answered_same_and_opposite_ones_different() -> None:
    method = ave_net()
    embedded = F.normalize(torch.randn(6, 8, generator=Generator().manual_seed(0)), dim=1).requires_grad_()
    same = method.logits(embedded, embedded.detach())
    assert same.argmax(dim=1).tolist() == [1] * 6
    assert method.logits(embedded, -embedded).argmax(dim=1).tolist() == [0] * 6
    same.sum().backward()
    assert embedded.grad is not None
    assert embedded.grad.isfinite().all()


def test_embeddings_have_length_one() -> None:
    method = ave_net()
    frames = torch.randint(256, (3, 1, 3, 20, 20), dtype=torch.uint8, generator=Generator().manual_seed(0))
    whole = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(3, 1, 4)
    sounds = torch.randn(3, 100, 257, generator=Generator().manual_seed(0))
    for embedded in (method.embed_frames(frames, whole), method.embed_sounds(sounds)):
        torch.testing.assert_close(embedded.norm(dim=1), torch.ones(3))


def test_frame_and_sound_lie_on_the_grid_within_the_clip_and_overlap() -> None:
    count = 3000
    table = {
        "row": torch.arange(3),
        "start": torch.tensor([0.0, 3.3, 10.0], dtype=torch.float64),
        "end": torch.tensor([0.0, 3.3, 10.0], dtype=torch.float64) + GRID * torch.tensor([11, 23, 7]),
    }
    clips = torch.arange(3).repeat(count)
    frames, sounds = pair_times(table, clips, Generator().manual_seed(0), seconds=SECONDS, grid=GRID)
    starts, ends = table["start"][clips], table["end"][clips]
    for times in (frames, sounds):
        steps = (times - starts) / GRID
        torch.testing.assert_close(steps, steps.round(), atol=1e-6, rtol=0)
    assert (sounds > starts - 1e-9).all()
    assert (sounds + SECONDS < ends + GRID + 1e-9).all()
    assert (frames > sounds - 1e-9).all()
    assert (frames < sounds + SECONDS).all()
    # Wherever there is room sound may begin, one place as likely as another: 12 frames less 6.25, and none.
    for clip, places in ((0, 6), (1, 18), (2, 2)):
        begun = ((sounds - starts)[clips == clip] / GRID).round().long().bincount() / count
        assert begun.tolist() == pytest.approx([1 / places] * places, abs=0.04)


def test_in_a_clip_shorter_than_the_sound_sound_begins_with_it() -> None:
    table = {"row": torch.arange(1), "start": torch.tensor([2.0], dtype=torch.float64)}
    table["end"] = table["start"] + 3 * GRID
    clips = torch.zeros(200, dtype=torch.long)
    frames, sounds = pair_times(table, clips, Generator().manual_seed(0), seconds=SECONDS, grid=GRID)
    assert (sounds == 2.0).all()
    assert ((frames >= 2.0) & (frames <= table["end"] + 1e-9)).all()
    assert len(frames.unique()) > 1


def test_distances_are_computed_in_fp32_whatever_the_networks_are_computed_in() -> None:
    method = ave_net().eval()
    generator = Generator().manual_seed(0)
    images, sounds = torch.randn(8, 3, 16, 16, generator=generator), torch.randn(8, 1, 64, 25, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        loss = method.loss(Pairs(images, sounds, torch.arange(8)))["correspondence"]
        pictures, heard = method.vision.blocks(images), method.sound.blocks(sounds)
    assert pictures[-1].dtype == torch.bfloat16
    expected = method._correspondence(method.vision_embedding(pictures), method.sound_embedding(heard), torch.arange(8))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)


def test_without_around_frames_are_whole_in_training_and_when_asked() -> None:
    frames = torch.randint(256, (2, 1, 3, 16, 16), generator=Generator().manual_seed(0), dtype=torch.uint8)
    corner = torch.tensor([0.0, 0.0, 0.25, 0.25]).expand(2, 1, 4)
    whole, cut = ave_net(around=None).eval(), ave_net().eval()
    cut.load_state_dict(whole.state_dict())
    everywhere = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(2, 1, 4)
    torch.testing.assert_close(whole.embed_frames(frames, corner), whole.embed_frames(frames, everywhere))
    assert not torch.allclose(cut.embed_frames(frames, corner), whole.embed_frames(frames, corner), atol=1e-3)
