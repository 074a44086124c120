"""Whether a picture is upside down: all that a method is."""

import torch
import torch.nn.functional as F

from selfsup.methods.method import Method
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import PooledClassifier
from selfsup.views.geometry import RandomCrop


class UpsideDown(Method):
    table = "frames"
    streams = ("frames",)

    def __init__(self, *, encoder: Encoder, crop: RandomCrop) -> None:
        super().__init__()
        self.encoder, self.crop = encoder, crop
        self.head = PooledClassifier(encoder, classes=2)

    def views(self, batch, generator, progress):
        images = self.crop(self.encoder.prepare(batch.streams), generator)
        return torch.cat([images, images.flip(-2)])

    def loss(self, views):
        turned = torch.arange(len(views), device=views.device) * 2 // len(views)
        return {"upside_down": F.cross_entropy(self.head(self.encoder.blocks(views)), turned)}
