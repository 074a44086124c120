"""What contrastive methods are asked about held-out pictures: which of several is the other view of this one."""

import torch
import torch.nn.functional as F
from torch import Tensor

from selfsup.methods.method import PretextAnswers

CANDIDATES = 64
"""Among which the other view is to be found: chance is 1/64."""


def told_apart(first: Tensor, second: Tensor) -> PretextAnswers:
    """first, second: (B, D), embeddings of two views of each of B pictures. Which of `CANDIDATES` pictures, shown as
    `second`, is the one that is shown as `first`: scores are cosines. N = B.

    Candidates are whole groups of neighbours in the batch; the last group is filled up with those before it. A batch of
    fewer pictures leaves candidates that nothing is near to (-1).
    """
    batch = len(first)
    entries = torch.arange(batch, device=first.device)
    cosines = F.normalize(first.float(), dim=1) @ F.normalize(second.float(), dim=1).T
    starts = (entries // CANDIDATES * CANDIDATES).clamp(max=max(batch - CANDIDATES, 0))
    shown = starts[:, None] + torch.arange(CANDIDATES, device=first.device)
    scores = cosines.gather(1, shown.clamp(max=batch - 1)).masked_fill(shown >= batch, -1)
    return PretextAnswers(entries, labels=entries - starts, scores=scores)
