"""bf16 where it is asked for, or where a device has matrix units for it."""

import pytest
import torch

from selfsup.training import resolved_precision
from selfsup.training.precision import autocast


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_asked_for_is_used(precision: str) -> None:
    assert resolved_precision(precision, "cpu") == precision


@pytest.mark.parametrize(("capabilities", "expected"), [({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32")])
def test_auto_follows_the_processor(capabilities: dict, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert resolved_precision("auto", "cpu") == expected


@pytest.mark.parametrize(("has", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_follows_the_gpu_and_emulation_does_not_count(
    has: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: has or including_emulation)
    assert resolved_precision("auto", "cuda") == expected


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_of_that_type(precision: str, dtype: torch.dtype) -> None:
    with autocast(precision, "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
