"""How a network is trained, as it stands in params.yaml."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.validation import Strict

ADAMW_BETA1 = 0.9
"""What most papers have; a schedule may say otherwise (`momentum`)."""


class Optimisation(Strict):
    """A named schedule, `scales.SCALE.schedules.NAME`: how to optimise, but for how long. `selfsup.training.Schedule`
    says what each key does."""

    optimiser: Literal["sgd", "adamw", "lars"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(default=ADAMW_BETA1, ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    warmup_steps: int = Field(default=0, ge=0)
    decay: Literal["cosine", "step"]
    decay_at: list[float] = Field(default_factory=list, description="fractions of the run, for decay: step")
    decay_factor: float = Field(default=1.0, gt=0, le=1, description="for decay: step")
    precision: Literal["fp32", "bf16", "auto"]
    log_every: int = Field(ge=1)

    @field_validator("decay_at")
    @classmethod
    def _fractions(cls, value: list[float]) -> list[float]:
        if any(not 0 < at < 1 for at in value) or value != sorted(value):
            raise ValueError("expected ascending fractions of the run, each between 0 and 1")
        return value


class KeptOptimisation(Optimisation):
    """Of runs that are kept: cut off, one goes on from its last checkpoint; while it trains it is watched."""

    checkpoint_every: int = Field(ge=0, description="steps; 0: never")
    watch_every: int = Field(ge=0, description="steps; 0: never")


class Schedule(Optimisation):
    """An optimisation, and for how long."""

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)

    @model_validator(mode="after")
    def _warms_up_within_the_run(self) -> "Schedule":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps: expected fewer than the {self.steps} steps, found {self.warmup_steps}")
        return self


class RunSchedule(KeptOptimisation, Schedule):
    """Of a run at one scale."""


class Training(Strict):
    """A run at one scale. networks: the method's encoders by name (`encoder`, for most); of each, `network` is its
    class's path below `selfsup.networks` and the rest are that network's arguments."""

    networks: dict[str, dict[str, Any]] = Field(min_length=1)
    schedule: RunSchedule | None = Field(description="null for a run that stays as it is initialised")
