"""What is looked for in decoded clips beforehand, so that methods only have to draw it."""
