"""Evaluation protocols by name."""

PROTOCOLS = {
    "linear": "selfsup.probes.linear:Linear",
    "action": "selfsup.probes.action:Action",
    "action_finetuned": "selfsup.probes.finetuned:FinetunedAction",
    "order": "selfsup.probes.order:Order",
    "sound_svm": "selfsup.probes.sound:SoundSVM",
    "correspondence": "selfsup.probes.correspondence:Correspondence",
}
