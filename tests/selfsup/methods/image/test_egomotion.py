"""How the camera moved between two pictures, from matrices written out, and what is learned of it."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from selfsup.methods.image.egomotion import WAYS, Egomotion, as_mirrored, moved_on, relative_motion
from selfsup.methods.method import Progress
from selfsup.networks.convnet import ConvNet
from selfsup.source import Batch, Draw, TooLittleData
from selfsup.training import build, pretrain
from selfsup.views.squares import turned_squares
from tests.selfsup.conftest import MemorySource
from tests.selfsup.schedules import SHORT

ARGUMENTS = {
    "apart": (1.0, 3.0),
    "bins": 4,
    "grid": 4,
    "hidden": 64,
    "extent": 1.0,
    "shift": 0.0,
    "turn": 0.0,
    "zoom": 1.0,
    "mirrored": 0.0,
}
NETWORK = {"widths": [16, 32], "side": 16}
START = Progress(0, 1)


def egomotion(**changes) -> Egomotion:
    method = build(Egomotion, ARGUMENTS | changes, {"encoder": (ConvNet, NETWORK)}, seed=0)
    assert isinstance(method, Egomotion)
    return method


class Filmed(MemorySource):
    """A world of blobs, through a camera that is known: cameras (N, T, WAYS)."""

    def __init__(self, count: int, frames: int = 4, *, seed: int = 0, known: bool = True) -> None:
        generator = Generator().manual_seed(seed)
        most = torch.tensor([0.2, 0.2, 0.3, 0.1])
        self.cameras = most * (2 * torch.rand(count, frames, WAYS, generator=generator) - 1)
        world = torch.rand(count, 3, 6, 6, generator=generator).repeat_interleave(frames, dim=0)
        world = torch.nn.functional.interpolate(world, size=32, mode="bicubic").clamp(0, 1)
        right, down, turn, zoom = self.cameras.flatten(0, 1).unbind(dim=1)
        # Where each picture's middle is in the world, which is twice as wide as a picture.
        middles = -torch.stack(
            [turn.cos() * right + turn.sin() * down, turn.cos() * down - turn.sin() * right], dim=1
        ) * torch.exp(-zoom[:, None])
        seen = turned_squares(world, middles / 2, torch.exp(-zoom) / 2, turn, side=16)
        clips = (255 * seen).to(torch.uint8).view(count, frames, 3, 16, 16)
        if not known:
            self.cameras = torch.full_like(self.cameras, torch.nan)
        super().__init__(clips, "clips", {}, {})

    def take(self, draw: Draw) -> Batch:
        times = {name: at for name, at in draw.times.items() if name != "camera"}
        batch = super().take(replace(draw, times=times))
        at = draw.times["camera"]
        assert isinstance(at, Tensor)
        steps = at.floor().long().clamp(0, self.clips.shape[1] - 1)
        return replace(batch, streams={**batch.streams, "camera": self.cameras[draw.rows[:, None], steps]})


def matrices(cameras: Tensor) -> Tensor:
    """(B, WAYS) -> (B, 3, 3), from the world to the picture."""
    rows = []
    for right, down, turn, zoom in cameras.tolist():
        cosine, sine = math.exp(zoom) * math.cos(turn), math.exp(zoom) * math.sin(turn)
        rows.append([[cosine, -sine, right], [sine, cosine, down], [0, 0, 1]])
    return torch.tensor(rows, dtype=torch.float64)


def some_cameras(seed: int, count: int = 5) -> Tensor:
    return torch.randn(count, WAYS, generator=Generator().manual_seed(seed), dtype=torch.float64)


def test_motion_is_the_map_from_the_first_picture_to_the_second() -> None:
    first, second = some_cameras(0), some_cameras(1)
    by_hand = matrices(second) @ matrices(first).inverse()
    torch.testing.assert_close(matrices(relative_motion(first, second)), by_hand)


def test_motion_is_not_that_in_the_world() -> None:
    # Both cameras are turned by a quarter; what lies to the right in the world is further down in their pictures.
    first = torch.tensor([[0, 0, math.pi / 2, 0]])
    second = torch.tensor([[0, 0.1, math.pi / 2, 0]])
    torch.testing.assert_close(relative_motion(first, second), torch.tensor([[0, 0.1, 0, 0]]))
    # The camera turns about a point that is not the middle: the middle goes to the other side.
    first, second = torch.tensor([[0.2, 0, 0, 0]]), torch.tensor([[0.2, 0, math.pi, 0]])
    torch.testing.assert_close(relative_motion(first, second), torch.tensor([[0.4, 0, math.pi, 0]]), atol=1e-6, rtol=0)


def test_a_square_of_a_picture_is_one_camera_more() -> None:
    cameras, moves = some_cameras(0), some_cameras(1)
    # First the square's middle to the picture's, then turn and zoom about it.
    middles = torch.eye(3, dtype=torch.float64).repeat(5, 1, 1)
    middles[:, :2, 2] = -moves[:, :2]
    about = matrices(torch.cat([torch.zeros(5, 2).double(), moves[:, 2:]], dim=1))
    torch.testing.assert_close(matrices(moved_on(cameras, moves)), about @ middles @ matrices(cameras))


def test_mirrored_pictures_move_the_other_way() -> None:
    motion = some_cameras(0)
    mirror = torch.diag(torch.tensor([-1.0, 1, 1], dtype=torch.float64))
    torch.testing.assert_close(matrices(as_mirrored(motion)), mirror @ matrices(motion) @ mirror)


def test_two_frames_as_far_apart_as_is_asked_for_in_either_order() -> None:
    source = Filmed(500, frames=6)
    draw = egomotion().draw(source.table, torch.arange(500), Generator().manual_seed(0), START)
    times = draw.times["frames"]
    assert torch.equal(times, draw.times["camera"])
    assert times.min() >= 0
    assert times.max() <= 5
    between = times[:, 1] - times[:, 0]
    assert between.abs().min() >= 1
    assert between.abs().max() <= 3
    assert (between > 0).float().mean().item() == pytest.approx(0.5, abs=0.06)


def test_bins_hold_as_many_training_pairs_each() -> None:
    source, method = Filmed(400), egomotion(shift=0.05, extent=0.8, turn=5.0)
    method.fit(source, Generator().manual_seed(0))
    batch = source.take(method.draw(source.table, torch.arange(400), Generator().manual_seed(1), START))
    bins = method.binned(method.views(batch, Generator().manual_seed(2), START).motion)
    for way in range(WAYS):
        assert bins[:, way].bincount(minlength=4).min() > 60
    assert method.binned(method.edges.T[:1]).tolist() == [[1] * WAYS]


def test_frames_that_are_moved_further_show_the_motion_that_is_stated() -> None:
    source, method = Filmed(30), egomotion(extent=0.6, shift=0.1, turn=10.0, zoom=1.1, mirrored=0.5)
    batch = source.take(method.draw(source.table, torch.arange(30), Generator().manual_seed(0), START))
    views = method.views(batch, Generator().manual_seed(0), START)
    first, second = views.images.chunk(2)
    right, down, turn, zoom = views.motion.unbind(dim=1)
    # The second picture, moved back, is the first one.
    back = turned_squares(second, torch.stack([right, down], dim=1), torch.exp(zoom), -turn)
    middle = (..., slice(5, 11), slice(5, 11))
    error, before = ((one[middle] - first[middle]).abs().mean() for one in (back, second))
    assert error < 0.3 * before


def test_loss_is_over_all_ways_to_move() -> None:
    source, method = Filmed(6), egomotion().eval()
    method.fit(source, Generator().manual_seed(0))
    batch = source.take(method.draw(source.table, torch.arange(6), Generator().manual_seed(0), START))
    views = method.views(batch, Generator().manual_seed(0), START)
    logits = method.logits(views.images)
    losses = []
    for picture in range(6):
        for way in range(WAYS):
            answer = sum(views.motion[picture, way].item() >= edge for edge in method.edges[way].tolist())
            losses.append(-math.log(logits[picture, way].softmax(dim=0)[answer].item()))
    assert method.loss(views)["egomotion"].item() == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_training_learns_how_the_camera_moved() -> None:
    schedule = replace(SHORT, steps=200, batch_size=32, log_every=50, optimiser="adamw", learning_rate=0.005)
    method = egomotion()
    rows = pretrain(method, Filmed(64), schedule, seed=0, device="cpu")
    assert rows[-1]["egomotion"] < 0.7 * math.log(4)
    source = Filmed(64, seed=1)
    batch = source.take(method.draw(source.table, torch.arange(64), Generator().manual_seed(0), START))
    answers = method.pretext(method.views(batch, Generator().manual_seed(0), START))
    assert answers.scores is not None
    assert answers.scores.shape == (64 * WAYS, 4)
    assert answers.entries[:5].tolist() == [0, 0, 0, 0, 1]


def test_a_camera_that_is_not_known_is_too_little(make_source) -> None:
    with pytest.raises(TooLittleData, match="how the camera moved is not known"):
        egomotion().fit(Filmed(4, known=False), Generator())
    with pytest.raises(TooLittleData, match="needs clips of several frames"):
        egomotion().fit(make_source(4, table="clips"), Generator())


def test_times_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="apart must go from the least to the greatest time"):
        egomotion(apart=(0.7, 0.1))
