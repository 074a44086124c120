"""params.yaml, read once, validated as a whole, frozen, handed down."""

from pathlib import Path

from pipeline import paths
from pipeline.parameters import consistency
from pipeline.parameters.keys import keys_of
from pipeline.parameters.models import Parameters
from pipeline.validation import load

__all__ = ["Parameters", "keys_of", "read_parameters"]


def read_parameters(path: Path = paths.PARAMETERS) -> Parameters:
    """Raises UserError, naming the key, for whatever cannot work."""
    parameters = load(Parameters, path)
    consistency.check(parameters, str(path))
    return parameters
