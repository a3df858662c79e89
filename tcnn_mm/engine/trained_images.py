"""Which images a checkpoint was trained on, and how many of them are tested."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process
from mmengine.logging import MMLogger

from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.engine.image_digests import file_digests, image_paths

# Key of the record in a checkpoint, and hex digits per image.
TRAINED_ON, DIGITS = 'trained_on', 12


def image_prints(dataset: Any, part: slice = slice(None), ends: bool = False) -> list[str]:
    """12 hex digits per image file, from its content (:func:`image_digest`).

    Neither names nor folders count: a copied or renamed image has the same digits. Empty for data
    sets without image files, and for banks of earlier versions. Of data sets of data sets all of
    their images.

    Args:
        dataset: The data set.
        part: The images to read. Defaults to all.
        ends: As earlier versions did, read only the ends of large files. A bank has what is in it.

    Raises:
        UserError: A file cannot be read.
    """
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner != [None]:  # of ConcatDataset, RepeatDataset, ClassBalancedDataset
        return [one for each in inner for one in image_prints(each, part, ends)]
    if isinstance(dataset, FeatureBank):
        records = [dataset.manifest['pictures'][i] for i in dataset.images[part]]
        digests = [record.get('digest', 'remote') for record in records]
    elif not (
        hasattr(dataset, 'get_data_info') and len(dataset)
    ) or 'img_path' not in dataset.get_data_info(0):
        return []
    else:
        digests = file_digests(image_paths(dataset)[part], itertools.repeat(ends))
    return [d.rpartition('-')[2][:DIGITS] for d in digests if d != 'remote']


def prints_of_processes(dataset: Any, ends: bool = False) -> set[str]:
    """:func:`image_prints`, read by all processes: each has its share of the images.

    One that read them alone would keep the others waiting longer than their connection lives.
    """
    share = image_prints(dataset, slice(get_rank(), None, get_world_size()), ends)
    return set().union(*map(split_prints, all_gather_object(''.join(share))))


def split_prints(record: Any) -> set[str]:
    """The prints that a record holds: one text, or, in files of earlier versions, a list."""
    if not isinstance(record, str):
        return set(record or ())
    return {record[at : at + DIGITS] for at in range(0, len(record), DIGITS)}


def join_prints(prints: Iterable[str]) -> str:
    """Prints as a record holds them: a million are written and read in 0.04 s, a list in 4 s."""
    return ''.join(sorted(prints))


def trained_prints(checkpoint: Mapping[str, Any]) -> tuple[set[str], bool]:
    """Of the images that a checkpoint was trained on; whether they are of an earlier version."""
    record = (checkpoint.get('meta') or {}).get('tcnn_mm') or {}
    stored = record.get(TRAINED_ON)
    return split_prints(stored), not isinstance(stored, str)


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
    known, ends = trained_prints(checkpoint)
    if not known or not is_main_process():
        return 0
    prints = image_prints(dataset, ends=ends)
    count = sum(one in known for one in prints)
    if count:
        logger.warning(
            f'{count} of the {len(prints)} images to be tested were trained on ({name}): their '
            'figures are too high; test on other images'
        )
    return count
