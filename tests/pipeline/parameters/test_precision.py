"""One list of precisions, though three places have to write it down."""

from typing import get_args

from pipeline.class_source import keyword_arguments
from pipeline.parameters.training import Schedule
from selfsup.training.precision import PRECISIONS


def test_params_yaml_and_fine_tuning_know_the_same_precisions() -> None:
    shown = keyword_arguments("selfsup.probes.finetuned:FinetunedAction")["precision"].shown
    assert get_args(Schedule.model_fields["precision"].annotation) == PRECISIONS
    assert shown == f"Literal[{', '.join(map(repr, PRECISIONS))}]"
