"""LARS: You, Gitman and Ginsburg, "Large batch training of convolutional networks", arXiv 1708.03888.

As SimCLR's code has it (lars_optimizer.py): the learning rate is part of what momentum gathers, and biases and
normalisations have neither weight decay nor a rate of their own.
"""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import nn
from torch.optim import Optimizer


class LARS(Optimizer):
    """Of each adapted parameter w with gradient g: g += decay * w; v = momentum * v + rate * r * g; w -= v, with
    r = trust * |w| / |g|, or 1 where either is zero. Of the others r is 1.

    Groups say `weight_decay` and `adapted` for themselves. All that it keeps is v, `momentum_buffer`.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], *, lr: float, momentum: float, trust: float, weight_decay: float = 0.0
    ) -> None:
        """groups: `params` (list[nn.Parameter]) and, of their own, `weight_decay` and `adapted`. trust: the trust
        coefficient, .001 in SimCLR's code."""
        defaults = {"lr": lr, "momentum": momentum, "trust": trust, "weight_decay": weight_decay, "adapted": True}
        super().__init__(groups, defaults)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Change the parameters that have gradients. No device waits. Raises ValueError for a closure."""
        if closure is not None:
            raise ValueError("LARS takes no closure: compute the gradients first")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return None

    def _move(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        gradient = parameter.grad.add(parameter, alpha=group["weight_decay"])
        if group["adapted"]:
            weight_norm, gradient_norm = parameter.norm(), gradient.norm()
            ratio = group["trust"] * weight_norm / gradient_norm
            gradient *= torch.where((weight_norm > 0) & (gradient_norm > 0), ratio, 1.0)
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        velocity = state["momentum_buffer"]
        velocity.mul_(group["momentum"]).add_(gradient, alpha=group["lr"])
        parameter.sub_(velocity)
