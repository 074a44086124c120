"""The datasets whose source files this project makes itself.

A literal dict, imported when asked for: a dataset that nobody names costs nothing, and its line changes no fingerprint
but its own.
"""

DATASETS = {"toyworld": "pipeline.datasets.toyworld:Toyworld"}

CROPS = "pipeline.datasets.crops:Crops"
"""Chooses the stills of every dataset of `kind: crops`."""
FOLDER = "pipeline.datasets.folder.listing:Folder"
"""What lists somebody's own files; any number of datasets."""
