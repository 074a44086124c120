"""Self-supervised methods, their networks, views and probes: tensors in, tensors out."""
