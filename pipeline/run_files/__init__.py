"""What a run keeps on disk: weights, checkpoint and log; and the clips that it is watched on."""
