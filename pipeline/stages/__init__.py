"""One stage a module: one verb, one rule, one receipt."""
