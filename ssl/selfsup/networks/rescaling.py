"""Scales of kernels that a batch normalisation follows: they change how fast a kernel learns, not what it computes.

Pretraining inflates the norms of such kernels: a gradient is at right angles to its kernel, so every step lengthens it.
A gradient shrinks as the kernel grows, so that a fixed learning rate then turns the kernel less (by 1 / norm^2). To
fine-tune networks that were pretrained differently at one learning rate, bring them to the norms of an initialisation
first: Krähenbühl, Doersch, Donahue and Darrell (ICLR 2016, section 3.2) do so for networks without normalisation.
"""

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def normalised_convolutions(network: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Every convolution with the batch normalisation that follows it, in the order in which they were made. Raises
    ValueError for a network without any, and for a convolution that no normalisation of its width follows."""
    leaves = [module for module in network.modules() if not any(module.children())]
    pairs = []
    for module, following in zip(leaves, [*leaves[1:], None], strict=True):
        if isinstance(module, nn.Conv2d):
            if not isinstance(following, nn.BatchNorm2d) or following.num_features != module.out_channels:
                raise ValueError(f"{type(network).__name__}: no batch normalisation follows {module}")
            pairs.append((module, following))
    if not pairs:
        raise ValueError(f"{type(network).__name__}: has no convolution to rescale")
    return pairs


def kernel_norms(network: nn.Module) -> list[float]:
    """The Euclidean norm of each kernel, in the order of `normalised_convolutions`."""
    return [convolution.weight.detach().norm().item() for convolution, _ in normalised_convolutions(network)]


@torch.no_grad()
def scale_kernel(convolution: nn.Conv2d, normalisation: nn.BatchNorm2d, factor: float) -> None:
    """In place: the kernel (and bias) times `factor`, and the running statistics of what comes out of it with them."""
    convolution.weight *= factor
    if convolution.bias is not None:
        convolution.bias *= factor
    if normalisation.running_mean is not None and normalisation.running_var is not None:
        normalisation.running_mean *= factor
        normalisation.running_var *= factor**2


def rescale(encoder: Network, reference_norms: Sequence[float]) -> Network:
    """A copy that computes the same, in training and in evaluation mode, but for the normalisations' epsilon, with
    kernels of these norms, one a convolution: `kernel_norms` of the encoder as it was initialised. Raises ValueError
    for another number of norms, for one that is not positive, and for a kernel of zeros.
    """
    rescaled = copy.deepcopy(encoder)
    pairs, norms = normalised_convolutions(rescaled), kernel_norms(rescaled)
    if len(reference_norms) != len(pairs):
        raise ValueError(f"rescale: expected {len(pairs)} norms, one a convolution, found {len(reference_norms)}")
    if min(*reference_norms, *norms) <= 0:
        raise ValueError("rescale: expected norms above 0, of the kernels and of the reference")
    for (convolution, normalisation), norm, reference in zip(pairs, norms, reference_norms, strict=True):
        scale_kernel(convolution, normalisation, reference / norm)
    return rescaled
