"""What toyworld shows: ten musical instruments in four families, the tree that drawings, timbres and the card share."""

FAMILIES = {
    "strings": ("guitar", "violin", "harp"),
    "winds": ("trumpet", "horn", "saxophone"),
    "percussion": ("drum", "bell"),
    "keys": ("piano", "accordion"),
}

CLASSES = tuple(name for members in FAMILIES.values() for name in members)
