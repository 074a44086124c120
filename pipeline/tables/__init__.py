"""The lecture's tables: published values, our numbers beside them, and the text that is printed."""
