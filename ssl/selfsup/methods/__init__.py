"""Pretraining methods by name: a new one is one new file and one line here."""

METHODS = {
    "random": "selfsup.methods.reference:RandomInitialisation",
    "supervised": "selfsup.methods.reference:Supervised",
    "supervised_video": "selfsup.methods.reference:SupervisedVideo",
    "supervised_sound": "selfsup.methods.reference:SupervisedSound",
    "rotation": "selfsup.methods.image.rotation:Rotation",
    "shuffle_and_learn": "selfsup.methods.video.shuffle_and_learn:ShuffleAndLearn",
    "ave_net": "selfsup.methods.audiovisual.ave_net:AVENet",
}
