import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional as twin

from selfsup.views.colour import GREY, ColourDistortion, adjusted, colour_jitter

SIMCLR = {"brightness": 0.8, "contrast": 0.8, "saturation": 0.8, "hue": 0.2, "probability": 0.8, "grayscale": 0.2}
NOTHING = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, "probability": 1.0, "grayscale": 0.0}
factor = st.floats(0.2, 1.8)


def pictures(count: int, *, least: float = -1, greatest: float = 1, seed: int = 0) -> Tensor:
    return least + (greatest - least) * torch.rand(count, 3, 8, 8, generator=Generator().manual_seed(seed))


def by(images: Tensor, **factors: float | list[float]) -> Tensor:
    """`adjusted` with the factors that are named, the others leaving everything as it is."""
    plain = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    return adjusted(
        images, **{name: torch.tensor(value).expand(len(images)) for name, value in (plain | factors).items()}
    )


def from_unit(images: Tensor) -> Tensor:
    return images * 2 - 1


def to_unit(images: Tensor) -> Tensor:
    return (images + 1) / 2


def test_a_pixel_worked_by_hand() -> None:
    # In [0, 1] two pixels (.8, .4, .2) and (0, 0, 0): greys .299 * .8 + .587 * .4 + .114 * .2 = .4968 and 0.
    image = from_unit(torch.tensor([[0.8, 0.0], [0.4, 0.0], [0.2, 0.0]])).view(1, 3, 1, 2)

    def first(**factors: float) -> list[float]:
        return to_unit(by(image, **factors))[0, :, 0, 0].tolist()

    assert first(brightness=0.5) == pytest.approx([0.4, 0.2, 0.1])
    # Half way to the mean grey, .2484.
    assert first(contrast=0.5) == pytest.approx([0.5242, 0.3242, 0.2242])
    # Half way to the pixel's own grey.
    assert first(saturation=0.5) == pytest.approx([0.6484, 0.4484, 0.3484])
    # A third of a turn makes green of red, blue of green, red of blue.
    assert first(hue=1 / 3) == pytest.approx([0.2, 0.8, 0.4])
    # Half a turn: 2 * mean - value, the mean being .4667.
    assert first(hue=0.5) == pytest.approx([0.1333, 0.5333, 0.7333], abs=1e-4)


@given(factor)
@settings(deadline=None, max_examples=20)
def test_brightness_is_torchvisions(value: float) -> None:
    images = pictures(2)
    theirs = from_unit(twin.adjust_brightness(to_unit(images), value))
    torch.testing.assert_close(by(images, brightness=value), theirs, rtol=0, atol=1e-5)


@given(factor)
@settings(deadline=None, max_examples=20)
def test_contrast_is_torchvisions(value: float) -> None:
    images = pictures(2)
    theirs = from_unit(twin.adjust_contrast(to_unit(images), value))
    torch.testing.assert_close(by(images, contrast=value), theirs, rtol=0, atol=1e-3)


@given(factor)
@settings(deadline=None, max_examples=20)
def test_saturation_is_torchvisions(value: float) -> None:
    images = pictures(2)
    theirs = from_unit(twin.adjust_saturation(to_unit(images), value))
    torch.testing.assert_close(by(images, saturation=value), theirs, rtol=0, atol=1e-3)


def test_no_saturation_is_torchvisions_greyscale() -> None:
    images = pictures(2)
    theirs = from_unit(twin.rgb_to_grayscale(to_unit(images), num_output_channels=3))
    torch.testing.assert_close(by(images, saturation=0.0), theirs, rtol=0, atol=1e-3)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0), (0, 2, 1)])
def test_all_but_hue_are_torchvisions_in_any_order_where_nothing_is_cut(order: tuple[int, ...]) -> None:
    images = pictures(2, least=-0.5, greatest=0.3)
    steps = (
        lambda x: twin.adjust_brightness(x, 1.2),
        lambda x: twin.adjust_contrast(x, 0.7),
        lambda x: twin.adjust_saturation(x, 1.3),
    )
    theirs = to_unit(images)
    for position in order:
        theirs = steps[position](theirs)
    assert 0 < theirs.min() < theirs.max() < 1
    ours = by(images, brightness=1.2, contrast=0.7, saturation=1.3)
    torch.testing.assert_close(ours, from_unit(theirs), rtol=0, atol=1e-3)


@pytest.mark.parametrize("thirds", [-1, 0, 1])
def test_hue_is_torchvisions_at_thirds_of_a_turn(thirds: int) -> None:
    images = pictures(2)
    theirs = from_unit(twin.adjust_hue(to_unit(images), thirds / 3))
    torch.testing.assert_close(by(images, hue=thirds / 3), theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("turn", "mean", "percentile"), [(0.05, 0.09, 0.25), (0.1, 0.14, 0.42), (-0.1, 0.14, 0.42), (0.2, 0.16, 0.52)]
)
def test_hue_is_near_torchvisions_on_all_colours(turn: float, mean: float, percentile: float) -> None:
    images = pictures(200)
    theirs = from_unit(twin.adjust_hue(to_unit(images), turn))
    difference = (by(images, hue=turn) - theirs).abs()
    assert difference.mean() < mean
    assert difference.quantile(0.99) < percentile
    # Nearer by far than a picture whose hue stays as it is.
    assert difference.square().mean() < 0.35 * (images - theirs).square().mean()


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
@settings(deadline=None, max_examples=20)
def test_turns_of_hue_add_up(one: float, other: float) -> None:
    # Muted, so that nothing is cut in between.
    images = pictures(1, least=-0.3, greatest=0.3)
    torch.testing.assert_close(by(by(images, hue=one), hue=other), by(images, hue=one + other), rtol=0, atol=1e-5)


def test_grey_pictures_have_no_hue() -> None:
    images = pictures(2)[:, :1].expand(2, 3, 8, 8)
    torch.testing.assert_close(by(images, hue=0.17, saturation=1.7), images, rtol=0, atol=1e-5)


def test_values_stay_in_range() -> None:
    jittered = colour_jitter(pictures(64), Generator().manual_seed(0), **SIMCLR)
    assert jittered.min() == -1
    assert jittered.max() == 1


@given(factor, factor, factor, st.floats(-0.5, 0.5))
@settings(deadline=None, max_examples=20)
def test_a_picture_comes_out_the_same_alone_and_in_a_batch(
    brightness: float, contrast: float, saturation: float, hue: float
) -> None:
    images = pictures(3)
    batch = by(
        images,
        brightness=[1.0, brightness, 0.3],
        contrast=[0.4, contrast, 1.0],
        saturation=[1.6, saturation, 0.0],
        hue=[0.1, hue, -0.4],
    )
    alone = by(images[1:2], brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
    torch.testing.assert_close(batch[1:2], alone)


def test_frames_of_a_clip_share_factors_and_have_greys_of_their_own() -> None:
    clips = torch.stack([pictures(4, seed=1), pictures(4, least=0, seed=2)])
    factors = {"brightness": [1.3, 0.6], "contrast": [0.4, 1.5], "saturation": [0.2, 1.4], "hue": [0.1, -0.2]}
    together = by(clips, **factors)
    for number, clip in enumerate(clips):
        alone = by(clip, **{name: value[number] for name, value in factors.items()})
        torch.testing.assert_close(together[number], alone)


def test_no_strength_leaves_everything_as_it_is() -> None:
    images = pictures(8)
    torch.testing.assert_close(colour_jitter(images, Generator(), **NOTHING), images)


def test_no_probability_leaves_everything_as_it_is() -> None:
    images = pictures(8)
    torch.testing.assert_close(
        colour_jitter(images, Generator(), **SIMCLR | {"probability": 0, "grayscale": 0}), images
    )


def test_every_picture_has_its_own_parameters_from_the_generator_alone() -> None:
    same = pictures(1).expand(64, 3, 8, 8)
    first, again, other = (colour_jitter(same, Generator().manual_seed(seed), **SIMCLR) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    # A fifth is not jittered.
    assert 40 < len(torch.unique(first, dim=0)) < 64


def test_parts_of_a_batch_are_jittered_and_grey() -> None:
    colourful = pictures(1, least=-0.5, greatest=0.5).expand(4000, 3, 8, 8)
    jittered = colour_jitter(colourful, Generator().manual_seed(0), **SIMCLR)
    grey = (jittered.amax(dim=1) - jittered.amin(dim=1)).amax(dim=(1, 2)) < 1e-4
    same = (jittered - colourful).abs().amax(dim=(1, 2, 3)) < 1e-4
    # Those whose saturation is drawn near 0 do not pass for grey.
    assert grey.float().mean() == pytest.approx(0.2, abs=0.02)
    assert same.float().mean() == pytest.approx(0.2 * 0.8, abs=0.02)


def test_factors_are_uniform_in_their_ranges() -> None:
    # Of a white picture, what remains below 1 is the brightness.
    white = torch.ones(4000, 3, 1, 1)
    brightness = to_unit(colour_jitter(white, Generator().manual_seed(0), **NOTHING | {"brightness": 0.8}))[:, 0, 0, 0]
    assert brightness.min() == pytest.approx(0.2, abs=0.01)
    assert (brightness < 0.6).float().mean() == pytest.approx(0.25, abs=0.02)
    assert (brightness == 1).float().mean() == pytest.approx(0.5, abs=0.03)


def test_a_strength_above_one_does_not_turn_pictures_into_negatives() -> None:
    white = torch.ones(4000, 3, 1, 1)
    jittered = to_unit(colour_jitter(white, Generator().manual_seed(0), **NOTHING | {"brightness": 1.5}))
    assert jittered.min() < 0.01
    assert (jittered < 0.5).float().mean() == pytest.approx(0.5 / 2.5, abs=0.02)


def test_weights_of_grey_sum_to_one() -> None:
    assert sum(GREY) == pytest.approx(1, abs=1e-12)


def test_as_an_argument_it_is_the_same_jitter() -> None:
    images = pictures(6)
    distorted = ColourDistortion(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, jitter=0.8, grayscale=0.2)
    expected = colour_jitter(images, Generator().manual_seed(0), **SIMCLR)
    assert torch.equal(distorted(images, Generator().manual_seed(0)), expected)
    off = ColourDistortion(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, jitter=0.0, grayscale=0.0)
    assert torch.equal(off(images, Generator()), images)
