"""The on-disk format of decoded data; nothing outside this package knows it."""
