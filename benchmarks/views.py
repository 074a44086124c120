"""SimCLR's view, images a second: ours against kornia, torchvision and a DataLoader over PIL, in one run.

    python benchmarks/views.py [--stored 64] [--side 64] [--rounds 7] [--threads 2]

All make the same of the same memory-mapped bytes, in batches of 128: a crop of .08 to 1, flip, jitter of strength .5,
greyscale and blur (Chen et al., ICML 2020, appendix A). torchvision (v2, on tensors of bytes) goes image by image, in
one process and in a DataLoader's two workers; PIL in two workers. See `rounds` for how time is measured.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from rounds import LOADER, WORKERS, Way, compare, machine, started, textured

IMAGES, BATCH = 1024, 128
CROP = {"scale": (0.08, 1.0), "ratio": (3 / 4, 4 / 3)}
JITTER = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}
KERNEL = {64: 7, 96: 9, 128: 13, 224: 23}
SIGMA = (0.1, 2.0)
OURS = "ours"


def ours(path: Path, side: int) -> Callable[[], int]:
    import torch

    from selfsup.views.blur import random_sigmas
    from selfsup.views.colour import colour_jitter
    from selfsup.views.geometry import random_resized_crop_flip

    images = np.load(path, mmap_mode="r")
    generator = torch.Generator().manual_seed(0)

    def one() -> int:
        for indices in torch.randperm(len(images), generator=generator).split(BATCH):
            batch = torch.from_numpy(images[indices.numpy()]).permute(0, 3, 1, 2)
            sigmas = random_sigmas(len(batch), generator, sigma=SIGMA, probability=0.5)
            views = random_resized_crop_flip(batch, generator, **CROP, flip=0.5, side=side, sigmas=sigmas)
            colour_jitter(views, generator, **JITTER, probability=0.8, grayscale=0.2)
        return len(images)

    return one


def kornia(path: Path, side: int) -> Callable[[], int]:
    import torch
    from kornia import augmentation as K

    images = np.load(path, mmap_mode="r")
    view = torch.nn.Sequential(
        # Its other way, image by image, takes longer.
        K.RandomResizedCrop((side, side), **CROP, cropping_mode="resample"),
        K.RandomHorizontalFlip(p=0.5),
        K.ColorJitter(**JITTER, p=0.8),
        K.RandomGrayscale(p=0.2),
        K.RandomGaussianBlur((KERNEL[side], KERNEL[side]), SIGMA, p=0.5),
    )

    def one() -> int:
        for indices in torch.randperm(len(images)).split(BATCH):
            with torch.no_grad():
                view(torch.from_numpy(images[indices.numpy()]).permute(0, 3, 1, 2).float() / 255)
        return len(images)

    return one


def torchvision_view(side: int, *, tensors: bool) -> Callable:
    import torch
    from torchvision.transforms import v2

    last = [v2.ToDtype(torch.float32, scale=True)] if tensors else [v2.PILToTensor(), v2.ToDtype(torch.float32, True)]
    return v2.Compose(
        [
            v2.RandomResizedCrop((side, side), **CROP),
            v2.RandomHorizontalFlip(p=0.5),
            v2.RandomApply([v2.ColorJitter(**JITTER)], p=0.8),
            v2.RandomGrayscale(p=0.2),
            v2.RandomApply([v2.GaussianBlur(KERNEL[side], SIGMA)] if tensors else [BlurPIL()], p=0.5),
            *last,
        ]
    )


class BlurPIL:
    """PIL's own, by box filters; torchvision's would turn pictures into tensors and back."""

    def __call__(self, picture):
        from PIL import ImageFilter

        return picture.filter(ImageFilter.GaussianBlur(np.random.uniform(*SIGMA)))


class Pictures:
    """A map-style dataset of views."""

    def __init__(self, path: Path, side: int, tensors: bool) -> None:
        self.images = np.load(path, mmap_mode="r")
        self.view = torchvision_view(side, tensors=tensors)
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int):
        import torch
        from PIL import Image

        image = self.images[index]
        return self.view(torch.from_numpy(image.copy()).permute(2, 0, 1) if self.tensors else Image.fromarray(image))


def torchvision(path: Path, side: int) -> Callable[[], int]:
    import torch

    pictures = Pictures(path, side, tensors=True)

    def one() -> int:
        for indices in torch.randperm(len(pictures)).split(BATCH):
            torch.stack([pictures[index] for index in indices.tolist()])
        return len(pictures)

    return one


def loader(path: Path, side: int, tensors: bool) -> Callable[[], int]:
    from torch.utils.data import DataLoader

    pictures = DataLoader(
        Pictures(path, side, tensors),
        BATCH,
        shuffle=True,
        **LOADER,
    )
    return lambda: sum(len(batch) for batch in pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=64, help="px of the images")
    parser.add_argument("--side", type=int, default=64, choices=KERNEL, help="px of the views")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--threads", type=int, default=2, help="1 where other work keeps the machine busy: see rounds.py"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as processes:
        path = Path(folder) / "images.npy"
        np.save(path, textured(IMAGES, given.stored))
        ways: dict[str, Way] = {
            OURS: partial(ours, path, given.side),
            "kornia, whole batches": partial(kornia, path, given.side),
            "torchvision v2, image by image": partial(torchvision, path, given.side),
            f"torchvision v2, {WORKERS} workers": partial(loader, path, given.side, True),
            f"PIL, {WORKERS} workers": partial(loader, path, given.side, False),
        }
        on = machine(given.threads, "torch", "torchvision", "kornia")
        print(f"Views of {given.side} px of images of {given.stored} px; {on}.\n", flush=True)
        running = {name: processes.enter_context(started(way, given.threads)) for name, way in ways.items()}
        compare([{name: take() for name, take in running.items()} for _ in range(given.rounds)], OURS)


if __name__ == "__main__":
    main()
