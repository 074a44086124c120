"""Evaluation protocols, one file each; params.yaml names a class by its path below this package."""
