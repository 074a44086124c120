import torch

from selfsup.source import Batch


def test_every_tensor_of_a_batch_goes_to_the_device() -> None:
    numbers = torch.arange(2)
    batch = Batch(numbers, numbers, numbers, {"frames": torch.zeros(2, 1, 3, 4, 4)}, {"colour": numbers}).to("meta")
    tensors = [batch.indices, batch.rows, batch.parents, batch.streams["frames"], batch.labels["colour"]]
    assert all(tensor.is_meta for tensor in tensors)
