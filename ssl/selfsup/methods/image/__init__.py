"""Self-supervised methods that learn from still images."""
