"""A schedule that takes no time; tests change what they are about."""

from selfsup.training import Schedule

SHORT = Schedule(
    steps=10,
    batch_size=8,
    optimiser="sgd",
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=5e-4,
    warmup_steps=0,
    decay="cosine",
    decay_at=(),
    decay_factor=0.1,
    precision="fp32",
    log_every=4,
    checkpoint_every=0,
    watch_every=0,
)
