import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional as twin

from selfsup.views.blur import RandomBlur, blur_matrices, gaussian_blur, kernel_radius, random_sigmas


def test_a_blur_worked_by_hand() -> None:
    # A kernel of three: exp(-1 / (2 s^2)) is 1/2 for s = 1 / sqrt(2 log 2), so weights 1/4, 1/2, 1/4. At the border the
    # pixel beyond the outermost one is the one before it.
    sigma = torch.tensor([1 / (2 * torch.log(torch.tensor(2.0))).sqrt()])
    expected = [[0.5, 0.5, 0, 0], [0.25, 0.5, 0.25, 0], [0, 0.25, 0.5, 0.25], [0, 0, 0.5, 0.5]]
    torch.testing.assert_close(blur_matrices(sigma, 4)[0], torch.tensor(expected))


@pytest.mark.parametrize(("side", "radius"), [(224, 11), (96, 4), (64, 3), (8, 1)])
def test_the_kernel_is_a_tenth_of_the_side(side: int, radius: int) -> None:
    assert kernel_radius(side) == radius


@given(st.floats(0.1, 5), st.sampled_from([(64, 64), (40, 96), (16, 8)]))
@settings(deadline=None, max_examples=20)
def test_is_torchvisions(sigma: float, size: tuple[int, int]) -> None:
    images = torch.rand(1, 3, *size)
    kernel = [2 * kernel_radius(side) + 1 for side in reversed(size)]
    theirs = twin.gaussian_blur(images, kernel, [sigma, sigma])
    torch.testing.assert_close(gaussian_blur(images, torch.tensor([sigma])), theirs, rtol=0, atol=1e-5)


def test_no_sigma_leaves_everything_as_it_is() -> None:
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(gaussian_blur(images, torch.zeros(2)), images)


def test_bytes_come_out_between_minus_one_and_one() -> None:
    frames = torch.randint(0, 256, (2, 5, 3, 32, 32), dtype=torch.uint8)
    sigmas = torch.tensor([0.7, 1.9])
    torch.testing.assert_close(gaussian_blur(frames, sigmas), gaussian_blur(frames / 127.5 - 1, sigmas))


@given(st.lists(st.floats(0, 3), min_size=1, max_size=5))
@settings(deadline=None, max_examples=20)
def test_a_picture_comes_out_the_same_alone_and_in_a_batch(sigmas: list[float]) -> None:
    images = torch.rand(len(sigmas), 3, 32, 32)
    together = gaussian_blur(images, torch.tensor(sigmas))
    alone = [gaussian_blur(image[None], torch.tensor([sigma])) for image, sigma in zip(images, sigmas, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone))


def sigmas_of(seed: int, count: int = 4000) -> Tensor:
    return random_sigmas(count, Generator().manual_seed(seed), sigma=(0.1, 2.0), probability=0.5)


def test_half_of_the_images_are_blurred_by_uniform_sigmas() -> None:
    drawn = sigmas_of(0)
    blurred = drawn[drawn > 0]
    assert len(blurred) / len(drawn) == pytest.approx(0.5, abs=0.03)
    assert blurred.min() == pytest.approx(0.1, abs=0.01)
    assert blurred.max() == pytest.approx(2, abs=0.01)
    assert blurred.mean() == pytest.approx(1.05, abs=0.03)


def test_the_generator_alone_decides() -> None:
    assert torch.equal(sigmas_of(1), sigmas_of(1))
    assert not torch.equal(sigmas_of(1), sigmas_of(2))


def test_as_an_argument_it_draws_the_same_sigmas_or_none() -> None:
    sigmas = RandomBlur(0.5, (0.3, 1.0)).sigmas(8, Generator().manual_seed(0))
    expected = random_sigmas(8, Generator().manual_seed(0), sigma=(0.3, 1.0), probability=0.5)
    assert sigmas is not None
    assert torch.equal(sigmas, expected)
    assert RandomBlur(0.0, (0.3, 1.0)).sigmas(8, Generator()) is None
