"""Encoders; params.yaml names a class by its path below this package."""
