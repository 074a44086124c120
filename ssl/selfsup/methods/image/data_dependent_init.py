"""Data-dependent initialisation: Krähenbühl, Doersch, Donahue and Darrell, "Data-dependent initializations of
convolutional neural networks", ICLR 2016.

Nothing is withheld and nothing is predicted: kernels are made from patches of the data and scaled so that all layers
start to learn at the same rate. The floor that "no pretraining" stands for in tables on PASCAL VOC.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from sklearn.cluster import MiniBatchKMeans
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.rescaling import normalised_convolutions, scale_kernel
from selfsup.source import Source, Table

LEAST_VARIANCE = 1e-6
"""Of a principal component, as a share of the greatest, below which it is left out of whitening: it is rounding."""
PROJECTIONS = 10
"""Random losses of which the rates of change are the root of the mean square; the authors' code has as many turns."""


class DataDependentInit(Method):
    """Differs from the paper in these ways.

    - A batch normalisation follows each convolution here, which the paper's networks do not have. Unit variance and the
      mean `bias` of each channel (section 3.1) are therefore its scale and shift, and its running statistics are those
      of the data. Kernels are scaled to unit variance as well, but that has no effect any more.
    - The scales of the layers (section 3.2) are then free, since a normalisation undoes them: a layer's rate of change
      goes with 1 / scale^2. All are set to their geometric mean at once, where the paper iterates, and the output stays
      as it is without the correction that the paper needs. The gradients pass through the batch's own statistics, as
      they do in training.
    - Whitening keeps as many components as there are kernels, as the authors' code does, or all where there are fewer.
    """

    table = "frames"
    streams = ("frames",)
    trains = False
    ranges: ClassVar = {"images": (2, 1000000), "clustered": (0, 1000), "patches": (2, 100000000), "bias": (-10, 10)}

    def __init__(self, *, encoder: Encoder, images: int, clustered: int, patches: int, bias: float) -> None:
        """images: training pictures to look at, all at once.
        clustered: how many of the first convolutions get k-means' centres for kernels, the others Gaussian ones; the
        paper's k-means variant clusters all, its Gaussian one none.
        patches: of each convolution's input that are clustered, drawn from all pictures and places.
        bias: the mean of each channel before its ReLU; 0.1 in the paper.
        Raises ValueError for an encoder with a convolution that no batch normalisation follows.
        """
        super().__init__()
        self.encoder = encoder
        self.images, self.clustered, self.patches, self.bias = images, clustered, patches, bias
        normalised_convolutions(encoder)

    def fit(self, source: Source, generator: Generator) -> Table:
        """All that this method does. Every entry could be drawn; nothing is."""
        chosen = torch.randperm(len(source.table["row"]), generator=generator)[: self.images]
        batch = source.take(self.draw(source.table, chosen, generator, Progress(0, 1)))
        device = next(self.encoder.parameters()).device
        images = self.encoder.prepare(batch.streams).to(device)
        self.encoder.train()
        for number, (convolution, normalisation) in enumerate(normalised_convolutions(self.encoder)):
            self.initialise(number, convolution, normalisation, images, generator)
        equalise(self.encoder, images, generator)
        set_statistics(self.encoder, images)
        return source.table

    @torch.no_grad()
    def initialise(
        self, number: int, convolution: nn.Conv2d, normalisation: nn.BatchNorm2d, images: Tensor, generator: Generator
    ) -> None:
        """Kernel and normalisation of one convolution; those before it have theirs. images: (N, 3, side, side)."""
        inputs = input_of(convolution, self.encoder, images)
        if number < self.clustered:
            patches = random_patches(convolution, inputs, self.patches, generator)
            kernels = clustered_kernels(patches, convolution.out_channels, generator)
        else:
            kernels = torch.randn(convolution.weight.flatten(1).shape, generator=generator)
        convolution.weight.copy_(kernels.view(convolution.weight.shape))
        if convolution.bias is not None:
            convolution.bias.zero_()
        spread = convolution(inputs).std(dim=(0, 2, 3), correction=0)
        convolution.weight /= spread.clamp(min=torch.finfo(spread.dtype).tiny)[:, None, None, None]
        normalisation.weight.fill_(1)
        normalisation.bias.fill_(self.bias)


def input_of(module: nn.Module, encoder: Encoder, images: Tensor) -> Tensor:
    """What a part of an encoder is given when the encoder is given images (N, ...)."""
    caught: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].clone()))
    try:
        encoder.blocks(images)
    finally:
        handle.remove()
    return caught[0]


def random_patches(convolution: nn.Conv2d, inputs: Tensor, count: int, generator: Generator) -> Tensor:
    """inputs: (N, C, h, w), what the convolution is given. -> (count, C * k * k), what its kernels are multiplied by at
    places drawn from all pictures, all of them where there are fewer. On the CPU.

    Raises ValueError for a convolution in groups or with dilated kernels.
    """
    if convolution.groups != 1 or convolution.dilation != (1, 1) or isinstance(convolution.padding, str):
        raise ValueError(f"data-dependent initialisation: {convolution} is grouped or dilated")
    size, stride, (down, across) = convolution.kernel_size, convolution.stride, convolution.padding
    padded = F.pad(inputs, (across, across, down, down)).cpu()
    # A view, (N, C, rows, columns, k, k): unfolding all places would take k * k times the memory.
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    pictures, _, rows, columns, *_ = windows.shape
    places = torch.randperm(pictures * rows * columns, generator=generator)[:count]
    picture, row, column = places // (rows * columns), places // columns % rows, places % columns
    return windows[picture, :, row, column].flatten(1)


def clustered_kernels(patches: Tensor, kernels: int, generator: Generator) -> Tensor:
    """patches: (M, D) -> (kernels, D): the centres of k-means on patches that were whitened by PCA and brought to the
    unit sphere, as kernels on patches that were not (section 3.1, and `initializeWeight` in the authors' code).

    Raises ValueError for fewer patches than kernels.
    """
    if len(patches) < kernels:
        raise ValueError(f"data-dependent initialisation: {kernels} kernels of {len(patches)} patches: more are needed")
    centred = (patches - patches.mean(dim=0)).double()
    variances, components = torch.linalg.eigh(centred.T @ centred / len(centred))
    kept = (variances > LEAST_VARIANCE * variances[-1]).nonzero().squeeze(1)[-kernels:]
    whitening = components[:, kept] / variances[kept].sqrt()
    whitened = F.normalize(centred @ whitening, dim=1)
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    clusters = MiniBatchKMeans(kernels, batch_size=10 * kernels, n_init=1, random_state=seed).fit(whitened.numpy())
    return (torch.from_numpy(clusters.cluster_centers_) @ whitening.T).float()


def rates_of_change(encoder: Encoder, images: Tensor, generator: Generator) -> list[float]:
    """Of each convolution's kernel W, sqrt(E |dl/dW|^2 / |W|^2) under losses l = <eta, z> of the last block z, with eta
    drawn from N(0, 1) (section 3.2). In training mode; the running statistics move.
    """
    weights = [convolution.weight for convolution, _ in normalised_convolutions(encoder)]
    with torch.enable_grad():
        last = encoder.blocks(images)[-1]
        squares = torch.zeros(len(weights), device=images.device)
        for number in range(PROJECTIONS):
            eta = torch.randn(last.shape, generator=generator).to(images.device)
            gradients = torch.autograd.grad((eta * last).sum(), weights, retain_graph=number < PROJECTIONS - 1)
            squares += torch.stack([gradient.square().sum() for gradient in gradients])
    norms = torch.stack([weight.detach().square().sum() for weight in weights])
    return (squares / PROJECTIONS / norms).sqrt().tolist()


def equalise(encoder: Encoder, images: Tensor, generator: Generator) -> None:
    """Scale the kernels, in place, so that all change at the geometric mean of their rates. A kernel's gradient shrinks
    as the kernel grows, its rate with the square of the scale. No other rate changes, as the outputs stay."""
    rates = torch.tensor(rates_of_change(encoder, images, generator)).double()
    target = rates.log().mean().exp()
    for (convolution, normalisation), rate in zip(normalised_convolutions(encoder), rates, strict=True):
        scale_kernel(convolution, normalisation, (rate / target).sqrt().item())


@torch.no_grad()
def set_statistics(encoder: Encoder, images: Tensor) -> None:
    """The running statistics of every normalisation become those of these images; training moves them as before."""
    normalisations = [normalisation for _, normalisation in normalised_convolutions(encoder)]
    momenta = [normalisation.momentum for normalisation in normalisations]
    for normalisation in normalisations:
        normalisation.reset_running_stats()
        normalisation.momentum = None  # the plain average over batches, of which there is one
    encoder.train().blocks(images)
    for normalisation, momentum in zip(normalisations, momenta, strict=True):
        normalisation.momentum = momentum
