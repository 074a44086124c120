"""The training loop, written once for every method."""

from selfsup.training.checkpoint import Checkpoint, LogRow
from selfsup.training.loop import NonFiniteLoss, Watch, build, built_arguments, pretrain
from selfsup.training.precision import resolved_precision
from selfsup.training.schedule import Schedule
from selfsup.training.seeds import derived_seed

__all__ = [
    "Checkpoint",
    "LogRow",
    "NonFiniteLoss",
    "Schedule",
    "Watch",
    "build",
    "built_arguments",
    "derived_seed",
    "pretrain",
    "resolved_precision",
]
