"""Self-supervised methods that learn from videos."""
