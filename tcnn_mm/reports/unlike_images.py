"""How many test images are unlike the training images, and whether the test as a whole is."""

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.datasets.bank_images import image_features
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.drift import drift_lines
from tcnn_mm.evaluation.training_images import recorded_training_images
from tcnn_mm.evaluation.unfamiliar import unfamiliar
from tcnn_mm.reports.bank_features import read_bank_features
from tcnn_mm.reports.run_artifacts import RunArtifacts


def unlike_images(run: RunArtifacts, trust: bool = False) -> str:
    """Say it in words, of a test that left its features on disk.

    Args:
        run: Of the work directory.
        trust: See :func:`load_safely`.

    Returns:
        '' where the checkpoint keeps no training images, the test read no bank, or the images are
        the training images of a cross-validation.
    """
    if run.cross_validated or run.scores is None or run.checkpoint is None or not run.tested:
        return ''
    try:
        meta = load_safely(run.checkpoint, trust=trust).get('meta') or {}
        training = recorded_training_images(meta.get('tcnn_mm') or {}, run.checkpoint)
        found = None if training is None else read_bank_features(run.config, run.scores)
    except UserError as error:
        return f'Whether test images are unlike the training images is unknown: {error}'
    features = None if found is None else image_features(found.bank)
    if training is None or found is None or features is None:
        return ''
    values = unfamiliar(features[found.indices], run.scores.values, training)
    return '; '.join(drift_lines(values, len(training.distances))) + '.'
