"""How a network is trained, as it stands in params.yaml."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.validation import Strict


class Schedule(Strict):
    """How a run is trained; `selfsup.training.Schedule` says what each key does."""

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    optimiser: Literal["sgd", "adamw"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    warmup_steps: int = Field(ge=0)
    decay: Literal["cosine", "step"]
    decay_at: list[float]
    decay_factor: float = Field(gt=0, le=1)
    precision: Literal["fp32", "bf16", "auto"]
    log_every: int = Field(ge=1)

    @field_validator("decay_at")
    @classmethod
    def _fractions(cls, value: list[float]) -> list[float]:
        if any(not 0 < at < 1 for at in value) or value != sorted(value):
            raise ValueError("expected ascending fractions of the run, each between 0 and 1")
        return value

    @model_validator(mode="after")
    def _warms_up_within_the_run(self) -> "Schedule":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps: expected fewer than the {self.steps} steps, found {self.warmup_steps}")
        return self


class RunSchedule(Schedule):
    """Of a run that is kept: cut off, it goes on from its last checkpoint; while it trains it is watched."""

    checkpoint_every: int = Field(ge=0, description="steps; 0: never")
    watch_every: int = Field(ge=0, description="steps; 0: never")


class Training(Strict):
    """A run at one scale. networks: the method's encoders by name (`encoder`, for most); of each, `name` is a key of
    NETWORKS and the rest are that network's arguments."""

    networks: dict[str, dict[str, Any]] = Field(min_length=1)
    schedule: RunSchedule | None = Field(description="null for a run that stays as it is initialised")
