"""The validation set of an experiment: the images on which a setting is chosen."""

import os.path as osp
from typing import Any

from mmengine.config import Config

from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError


def validation_set(
    cfg: Config,
    loader: str = 'test',
    split: str | None = None,
    ids: str | None = None,
    images: bool = False,
) -> dict[str, Any]:
    """Return the config of the data set on which a setting is chosen.

    Args:
        cfg: The experiment.
        loader: 'train', 'val' or 'test': whose data set.
        split: Of it. Defaults to 'val' where the data set has a split; of the 'val' loader to
            its own.
        ids: A text file: only these images.
        images: Of a feature bank the images behind it.

    Raises:
        UserError: The config does not say which images are the validation set.
    """
    entry = cfg.get(f'{loader}_dataloader')
    if not entry:
        raise UserError(f'--loader {loader}: the config has no {loader}_dataloader')
    dataset = entry.dataset.to_dict()
    if images:
        dataset = image_config(dataset)
    if 'split' in dataset:
        dataset['split'] = split or (dataset['split'] if loader == 'val' else 'val')
    elif split:
        raise UserError(f'--split {split}: {dataset["type"]} has no split; give --ids FILE')
    elif not ids and loader != 'val':
        raise UserError(
            f'{dataset["type"]} has no split: name the images of the validation set, --ids FILE'
        )
    if ids:
        dataset['ids'] = osp.abspath(ids)
    dataset['test_mode'] = True
    return dataset
