"""Evaluation protocols by name."""

PROTOCOLS = {
    "linear": "selfsup.probes.linear:Linear",
    "knn": "selfsup.probes.knn:KNN",
    "action": "selfsup.probes.action:Action",
    "action_finetuned": "selfsup.probes.finetuned:FinetunedAction",
    "order": "selfsup.probes.order:Order",
    "sound_svm": "selfsup.probes.sound:SoundSVM",
    "correspondence": "selfsup.probes.correspondence:Correspondence",
    "retrieval": "selfsup.probes.retrieval:Retrieval",
}
