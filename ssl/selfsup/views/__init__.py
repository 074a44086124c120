"""Augmentations of whole batches, on the device that the batch is on."""
