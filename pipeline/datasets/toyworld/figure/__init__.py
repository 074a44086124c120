"""The actor of a clip: thirteen joints that act, and a body of sprites that is drawn once and follows them."""

from pipeline.datasets.toyworld.figure.actions import ACTIONS
from pipeline.datasets.toyworld.figure.body import Body, dress
from pipeline.datasets.toyworld.figure.layers import layers, pixels
from pipeline.datasets.toyworld.figure.performance import Performance, perform
from pipeline.datasets.toyworld.figure.skeleton import JOINTS

__all__ = ["ACTIONS", "JOINTS", "Body", "Performance", "dress", "layers", "perform", "pixels"]
