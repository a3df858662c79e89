"""Load a fitted estimator from a checkpoint."""

import os

import numpy as np

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.weight_paths import local_path
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.patch_voting_classifier import PatchVotingClassifier
from tcnn_mm.estimator.process_state import preserved_process_state
from tcnn_mm.inference.inferencer import TCNNInferencer


def load(path: str | os.PathLike[str], trust: bool = False) -> PatchVotingClassifier:
    """A fitted estimator from a checkpoint.

    Args:
        path: File of :meth:`PatchVotingClassifier.save`, `tcnn train`, `tcnn fit` or
            `tcnn export`; it must stay where it is while the estimator is used.
        trust: Unpickle the file fully: only for files of your own.

    Returns:
        An estimator whose `predict` gives label lists where the checkpoint is not of an estimator.
        Its parameters are then the defaults, not those of the training.

    Raises:
        UserError: No checkpoint of ours, or of a model that scores one box per image.
    """
    file = local_path(os.fspath(path))
    with preserved_process_state():
        inferencer = TCNNInferencer(checkpoint=file, trust=trust)
        if inferencer.needs_boxes:
            raise UserError(
                f'{file}: its model scores one square around a given box; use '
                'tcnn_mm.TCNNInferencer(checkpoint=…) with boxes=[…]'
            )
        record = load_safely(file, trust=trust)['meta'].get('tcnn_mm', {}).get('estimator', {})
    classes = record.get('classes', inferencer.classes)
    estimator = PatchVotingClassifier(**record.get('params', {}))
    if record:
        estimator.set_params(classes=classes)
    return estimator.set_fitted(file, record.get('form', 'label lists'), np.array(classes))
