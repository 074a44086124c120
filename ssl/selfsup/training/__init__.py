"""The training loop, written once for every method."""

from selfsup.training.checkpoint import Checkpoint
from selfsup.training.loop import NonFiniteLoss, Watch, build, pretrain
from selfsup.training.precision import Precision, arithmetic
from selfsup.training.rows import LogRow
from selfsup.training.schedule import Schedule
from selfsup.training.seeds import derived_seed

__all__ = [
    "Checkpoint",
    "LogRow",
    "NonFiniteLoss",
    "Precision",
    "Schedule",
    "Watch",
    "arithmetic",
    "build",
    "derived_seed",
    "pretrain",
]
