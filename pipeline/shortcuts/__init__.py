"""The shortcut report: what gives labels away without being seen or heard, and what can be learned of them."""
