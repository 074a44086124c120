"""The datasets whose source files this project makes itself.

A literal dict, imported when asked for: a dataset that nobody names costs nothing, and its line changes no fingerprint
but its own.
"""

DATASETS = {"toyworld": "pipeline.datasets.toyworld:Toyworld"}
