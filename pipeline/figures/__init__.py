"""Pictures for people: contact sheets and charts, drawn without a display, the same bytes for the same data."""
