"""The reference row of every table: what an encoder is worth that learned nothing."""

from selfsup.methods.method import Method
from selfsup.networks.encoder import Encoder


class RandomInitialisation(Method):
    """An encoder with the weights of its initialisation: the floor of every table."""

    table = "clips"
    streams = ()
    trains = False

    def __init__(self, *, encoder: Encoder) -> None:
        """encoder: kept as it is."""
        super().__init__()
        self.encoder = encoder
