"""Pretraining methods by name: a new one is one new file and one line here."""

METHODS = {
    "random": "selfsup.methods.reference:RandomInitialisation",
    "supervised": "selfsup.methods.reference:Supervised",
    "rotation": "selfsup.methods.image.rotation:Rotation",
}
