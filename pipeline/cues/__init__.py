"""The cue report: what gives a dataset's labels away without being seen or heard, and what can be learned of them."""
