"""Files in, files out: datasets, stages, their lineage and their tables."""
