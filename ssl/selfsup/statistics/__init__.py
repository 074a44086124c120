"""From one value an example to numbers: metrics, bootstrap intervals, many bounds at once."""
