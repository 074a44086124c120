"""A folder of somebody's own files: what is in it, which of it is used, and in which split. Nothing is copied."""
