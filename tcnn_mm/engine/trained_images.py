"""Which images a checkpoint was trained on, and how many of them are tested."""

from collections.abc import Mapping
from typing import Any

from mmengine.dist import is_main_process
from mmengine.logging import MMLogger

from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.bank_contents import image_digests

# Key of the record in a checkpoint, and hex digits per image.
TRAINED_ON, DIGITS = 'trained_on', 12


def image_prints(dataset: Any) -> list[str]:
    """12 hex digits per image file, from its content (:func:`image_digest`).

    Neither names nor folders count: a copied or renamed image has the same digits. Empty for data
    sets without image files, and for banks of earlier versions. Of data sets of data sets all of
    their images.

    Raises:
        UserError: A file cannot be read.
    """
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner != [None]:  # of ConcatDataset, RepeatDataset, ClassBalancedDataset
        return [one for part in inner for one in image_prints(part)]
    if isinstance(dataset, FeatureBank):
        records = [dataset.manifest['pictures'][i] for i in dataset.images]
        digests = [record.get('digest', 'remote') for record in records]
    elif not (
        hasattr(dataset, 'get_data_info') and len(dataset)
    ) or 'img_path' not in dataset.get_data_info(0):
        return []
    else:
        digests = image_digests(dataset)
    return [d.rpartition('-')[2][:DIGITS] for d in digests if d != 'remote']


def warn_of_trained_images(
    checkpoint: Mapping[str, Any], dataset: Any, name: str, logger: MMLogger
) -> int:
    """Warn where images of a data set are those that a checkpoint was trained on.

    Args:
        checkpoint: Its content; one of an earlier version does not tell.
        dataset: To be tested.
        name: Of the checkpoint.
        logger: Gets the warning.

    Returns:
        How many images.
    """
    record = (checkpoint.get('meta') or {}).get('tcnn_mm') or {}
    known = set(record.get(TRAINED_ON) or ())
    if not known or not is_main_process():
        return 0
    prints = image_prints(dataset)
    count = sum(one in known for one in prints)
    if count:
        logger.warning(
            f'{count} of the {len(prints)} images to be tested were trained on ({name}): their '
            'figures are too high; test on other images'
        )
    return count
