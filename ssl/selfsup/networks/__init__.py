"""Encoders by name."""

NETWORKS = {
    "convnet": "selfsup.networks.convnet:ConvNet",
    "standardised_convnet": "selfsup.networks.convnet:StandardisedConvNet",
    "per_frame_convnet": "selfsup.networks.per_frame:PerFrameConvNet",
    "spectrogram_net": "selfsup.networks.spectrogram_net:SpectrogramNet",
    "alexnet": "selfsup.networks.alexnet:AlexNet",
    "per_frame_alexnet": "selfsup.networks.per_frame:PerFrameAlexNet",
}
