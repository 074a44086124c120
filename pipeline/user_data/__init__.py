"""A user's own files: `add` describes them in a card, `show` draws what was decoded."""
