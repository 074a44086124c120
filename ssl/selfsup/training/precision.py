"""In which arithmetic a loss is computed."""

from typing import Literal, get_args

import torch

Precision = Literal["fp32", "bf16", "auto"]
"""bf16: autocast of the loss's forward pass; weights and views stay fp32. auto: bf16 on a device with matrix units for
it, else fp32, so that numbers follow the kind of device; a receipt says which it was."""

PRECISIONS = get_args(Precision)


def arithmetic(precision: Precision, device: str) -> Literal["fp32", "bf16"]:
    """What `precision` means on a device, `cpu` or `cuda`.

    What it is worth, `benchmarks/precision.py` measures; on AVX2 cores without such units bf16 takes two to three times
    as long as fp32.
    """
    if precision != "auto":
        return precision
    if torch.device(device).type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if torch.cpu.get_capabilities().get("amx_bf16") else "fp32"


def autocast(precision: Precision, device: str) -> torch.autocast:
    """The context of a forward pass."""
    enabled = arithmetic(precision, device) == "bf16"
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=enabled)
