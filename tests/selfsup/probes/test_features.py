from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder, Window, window_times
from selfsup.probes.features import clip_features, clip_times, frames_of, labelled, pooled, pooled_features


def test_times_are_the_midpoints_of_equal_parts() -> None:
    table = {"start": torch.tensor([0.0, 2.0], dtype=torch.float64), "end": torch.tensor([8.0, 2.0]).double()}
    assert clip_times(table, 4).tolist() == [[1, 3, 5, 7], [2, 2, 2, 2]]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(steps=1, seconds=0.0), [[1.0], [5.0]]),
        (Window(steps=2, seconds=1.0), [[0.5, 1.5], [4.5, 5.5]]),
        (Window(steps=5, seconds=2.0), [[0, 0.5, 1, 1.5, 2], [4, 4.5, 5, 5.5, 6]]),
    ],
)
def test_a_window_lies_evenly_around_its_time(window: Window, expected: list[list[float]]) -> None:
    assert window_times(torch.tensor([1.0, 5.0], dtype=torch.float64), window).tolist() == expected


def test_a_map_is_averaged_over_the_finest_grid_that_fits() -> None:
    feature_map = torch.arange(2 * 3 * 8 * 8, dtype=torch.float32).reshape(2, 3, 8, 8)
    # 3 * 2 * 2 = 12 fit into 20, 3 * 3 * 3 = 27 do not.
    grid = pooled(feature_map, 20)
    assert grid.shape == (2, 12)
    torch.testing.assert_close(grid[1, 5], feature_map[1, 1, :4, 4:].mean())


@pytest.mark.parametrize(("dims", "expected"), [(10_000, 3 * 8 * 8), (3, 3), (1, 3)])
def test_a_grid_is_never_finer_than_the_map_nor_coarser_than_one(dims: int, expected: int) -> None:
    assert pooled(torch.zeros(2, 3, 8, 8), dims).shape == (2, expected)


def test_a_clips_map_is_averaged_over_time_first() -> None:
    feature_map = torch.randn(2, 3, 5, 8, 8)
    torch.testing.assert_close(pooled(feature_map, 20), pooled(feature_map.mean(dim=2), 20))


def test_a_sounds_map_is_averaged_over_equal_parts() -> None:
    feature_map = torch.arange(2 * 3 * 8, dtype=torch.float32).reshape(2, 3, 8)
    # 3 * 4 = 12 fit into 14, 3 * 5 do not.
    parts = pooled(feature_map, 14)
    assert parts.shape == (2, 12)
    torch.testing.assert_close(parts[1, 5], feature_map[1, 1, 2:4].mean())
    assert pooled(feature_map, 1).shape == (2, 3)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 4, 4, 4)])
def test_blocks_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a block must be"):
        pooled(torch.zeros(shape), 8)


def test_features_stand_in_the_tables_order_and_are_the_encoders(make_source) -> None:
    source = make_source(300, table="clips", frames=4)
    encoder = ConvNet(widths=[4, 8], side=16)
    split = clip_features(encoder, source, label="colour", times_per_clip=2, dims=32, device="cpu")
    features = split.features
    assert features.rows.tolist() == list(range(300))
    assert split.labels.tolist() == source.labels["colour"].tolist()
    assert split.classes == 3
    assert {name: block.shape for name, block in features.blocks.items()} == {
        "block1": (300, 2, 16),
        "block2": (300, 2, 32),
    }
    # Clip 299 lasts from 0 to 3 s: its second frame, at 2.25 s, is the one shown from 2 s on.
    with torch.no_grad():
        alone = encoder.blocks(encoder.prepare({"frames": source.clips[299:, 2:3]}))
    np.testing.assert_allclose(features.blocks["block1"][299, 1], pooled(alone[0], 32)[0].numpy(), atol=1e-5)
    assert features.averages.shape == (300, 2, 8)
    np.testing.assert_allclose(features.averages[299, 1], alone[1][0].mean(dim=(1, 2)).numpy(), atol=1e-5)


def test_the_encoder_stays_as_it_was(make_source) -> None:
    encoder = ConvNet(widths=[4], side=16).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    clip_features(encoder, make_source(8, table="clips"), label="colour", times_per_clip=1, dims=16, device="cpu")
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_clips_without_a_label_are_counted(make_source) -> None:
    source = make_source(8, table="clips")
    source.labels["colour"][:3] = -1
    with pytest.raises(ValueError, match="3 of 8 clips have no 'colour'"):
        clip_features(ConvNet(widths=[4], side=16), source, label="colour", times_per_clip=1, dims=16, device="cpu")


def test_a_missing_label_and_a_split_without_clips_are_named(make_source) -> None:
    encoder, source = ConvNet(widths=[4], side=16), make_source(8, table="clips")
    features = pooled_features(encoder, source, times_per_clip=1, dims=16, device="cpu")
    with pytest.raises(ValueError, match="no label 'shape' in this dataset; it carries colour"):
        labelled(features, source, "shape")
    with pytest.raises(ValueError, match="a split has no clips"):
        pooled_features(encoder, make_source(0, table="clips"), times_per_clip=1, dims=16, device="cpu")


def test_of_a_still_one_frame_is_all_that_there_is(make_source) -> None:
    assert frames_of(make_source(8, table="clips", frames=4), 3) == 3
    assert frames_of(make_source(8, table="clips", frames=1), 3) == 1


class Clips(Encoder):
    """Takes three frames over two seconds; its one block is their brightness, (B, 1, t, h, w)."""

    windows = {"frames": Window(steps=3, seconds=2.0)}  # noqa: RUF012
    channels = [1]  # noqa: RUF012

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        return streams["frames"].float().mean(dim=2, keepdim=True).transpose(1, 2)

    def blocks(self, x: Tensor) -> list[Tensor]:
        return [x]


def test_an_encoder_of_clips_gets_its_window_around_each_time(make_source) -> None:
    source = make_source(300, table="clips", frames=6)
    features = pooled_features(Clips(), source, times_per_clip=2, dims=1, device="cpu")
    # Clips last from 0 to 5 s, so that the times are 1.25 and 3.75 s, the windows 0.25 to 2.25 and 2.75 to 4.75 s.
    brightness = source.clips.float().mean(dim=(2, 3, 4))
    by_hand = torch.stack([brightness[:, 0:3].mean(dim=1), brightness[:, 2:5].mean(dim=1)], dim=1)
    np.testing.assert_allclose(features.blocks["block1"][:, :, 0], by_hand.numpy(), rtol=1e-5)
