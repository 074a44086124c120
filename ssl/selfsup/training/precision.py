"""In which precision a loss is computed."""

from typing import Literal, get_args

import torch

Precision = Literal["fp32", "bf16", "auto"]
"""bf16: autocast of the loss's forward pass; weights and views stay fp32. auto: bf16 on a device with matrix units for
it, else fp32, so that numbers follow the kind of device; receipts say which it was."""

PRECISIONS = get_args(Precision)


def resolved_precision(precision: Precision, device: str) -> Literal["fp32", "bf16"]:
    """What `precision` means on a device, `cpu` or `cuda`.

    `benchmarks/precision.py` on one core of an Intel Xeon with AMX: a step in bf16 takes 0.54 of fp32's time for stills
    of 64 px, 0.81 for clips of eight frames of 32 px, 0.81 for sounds. A step of `convnet` took two to three times as
    long on two AVX2 cores without such units.
    """
    if precision != "auto":
        return precision
    if torch.device(device).type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if torch.cpu.get_capabilities().get("amx_bf16") else "fp32"


def autocast(precision: Precision, device: str) -> torch.autocast:
    """The context of a forward pass."""
    enabled = resolved_precision(precision, device) == "bf16"
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=enabled)
