"""Linear probe: a frozen encoder, one softmax layer on each block, as in Zhang, Isola and Efros, ECCV 2016, and
RotNet, section 4.2.

Deviates from both in that the softmax layer is fitted by L-BFGS with an L2 penalty, not by SGD with
crops and flips, and that the block is chosen on validation and reported alone, not the best of all on the test set.
All features are held in memory: good for some 100,000 frames. `pooled` says what is kept of a block.
"""

from typing import ClassVar

from selfsup.probes.classifiers import Softmax
from selfsup.probes.features import LabelledFeatures
from selfsup.probes.probe import Evaluation, FeatureProbe
from selfsup.probes.selection import all_labels, check_labels, choose
from selfsup.statistics.metrics import TOP


class Linear(FeatureProbe):
    """One softmax layer a block and penalty; the pair with the best top-1 on validation is scored on the test clips.
    Numbers `top1` and, of more than five classes, `top5` of the same answers."""

    table = "clips"
    streams = ("frames",)
    asks = ""
    reads_features = True
    ranges: ClassVar = {"penalties": (1e-12, 1e12), "max_iterations": (1, 1_000_000)}

    def __init__(self, *, label: str, penalties: list[float], max_iterations: int) -> None:
        """label: the clip's label to predict.
        penalties: candidates for lambda in `mean cross-entropy + lambda / 2 * squared weights`; of equally
        good ones the first is chosen.
        max_iterations: of L-BFGS, a penalty; a fit that needs more is used as it stands.
        """
        self.label = label
        self.labels = (label,)
        self.penalties = penalties
        self.max_iterations = max_iterations

    def evaluate(
        self, *, train: LabelledFeatures, validation: LabelledFeatures, test: LabelledFeatures, seed: int
    ) -> list[Evaluation]:
        """Of a clip's several frames every one is an example to fit on, and the scores are averaged. seed: unused, for
        nothing is drawn.

        Raises TooLittleData for only one class among the training clips.
        """
        check_labels("linear probe", self.label, train.labels)
        chosen = choose(
            (train.features.blocks, train.labels),
            (validation.features.blocks, validation.labels),
            all_labels(train.labels, validation.labels),
            self.penalties,
            lambda x, y, penalties: Softmax.path(x, y, train.classes, penalties, self.max_iterations),
        )
        metrics = {"top1": 1 / train.classes}
        if train.classes > TOP:
            metrics[f"top{TOP}"] = TOP / train.classes
        return chosen.evaluated(metrics, test.features.rows, test.labels, test.features.blocks)
