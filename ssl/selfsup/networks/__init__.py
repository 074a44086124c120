"""Encoders by name."""

NETWORKS = {
    "convnet": "selfsup.networks.convnet:ConvNet",
    "alexnet": "selfsup.networks.alexnet:AlexNet",
}
