"""Feature banks: features of the frozen network on disk, computed once per patch.

A bank is a folder, complete or absent: `features.f16` (flips, rows, …), `rows.npz` (box, label
of each row; first row of each image), `manifest.json` (its recipe, classes, labels and objects of
the images). A bank of sampled patches also has `pictures.f16`: the mean feature of the largest
patches of each image, for a `ContextHead`. The manifest calls images `pictures`: the format is
older than the word.
"""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from tcnn_mm.datasets.bank_reading import (
    FILES,
    open_features,
    read_manifest,
    read_rows,
    rebuild_advice,
)
from tcnn_mm.datasets.dataset_wrappers import inner_configs
from tcnn_mm.datasets.formats.id_list import restrict_ids
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.transforms import set_objects
from tcnn_mm.errors import UserError
from tcnn_mm.patches.bank_batch import BankPatches, BankWindows
from tcnn_mm.patches.sampler import keyed_generator
from tcnn_mm.registry import DATASETS, config_builds

# Of float16; NaN and infinity have all of its bits.
_EXPONENT = np.uint16(0x7C00)


def is_feature_bank(config: Any) -> bool:
    """Return whether a config builds a :class:`FeatureBank`."""
    return config_builds(config, DATASETS, FeatureBank)


def named_banks(cfg: Any, split: str) -> list[Any]:
    """Configs of the banks that a data loader of a config reads, inside other data sets too.

    Args:
        cfg: The experiment.
        split: 'train', 'val' or 'test'.
    """
    loader = cfg.get(f'{split}_dataloader')
    return (
        [each for each in inner_configs(loader.dataset) if is_feature_bank(each)] if loader else []
    )


@DATASETS.register_module()
class FeatureBank(Dataset):
    """Rows of a bank: patches for training, images for testing.

    Training: an index is a patch, so the data loader shuffles the patches of all images, as in the
    paper; a batch comes as one item, whose `inputs` are :class:`BankPatches`. Test: an index is an
    image, whose `inputs` are :class:`BankWindows` and whose `data_samples` is the record that
    `PackPatchInputs` gives.

    Args:
        bank (str): The folder; `tcnn train` and `tcnn test` make it where it is absent.
        source (dict): The data set it is made from; recorded in the recipe.
        flips (bool): Holds mirrored features too; training draws one of the two by (seed,
            epoch, patch). Defaults to True for training on sampled patches alone.
        seed (int): Of the drawn background. Defaults to 0.
        test_mode (bool): The whole grid of each image. Defaults to False: the sampled set.
        windows (bool): The bank holds the whole grid of each image and the labels of the sampled
            set: one bank for training, which reads the labelled rows, and for tests. Defaults to
            False: only what `test_mode` says.
        ids (str, optional): A text file of image ids: only the rows of these images are used; the
            bank itself stays as it is.
        context (bool): A training batch also brings features and labels of the whole images that
            its patches are of, for a `ContextHead`. Defaults to False.
    """

    def __init__(
        self,
        bank: str,
        source: dict | None = None,
        flips: bool | None = None,
        seed: int = 0,
        test_mode: bool = False,
        ids: str | None = None,
        context: bool = False,
        windows: bool = False,
    ) -> None:
        self.folder, self.source, self.test_mode = osp.abspath(bank), source, test_mode
        self.windows, self.seed = windows, seed
        self.flips = not (test_mode or windows) if flips is None else flips
        path = osp.join(self.folder, FILES['manifest'])
        if not osp.isfile(path):
            raise UserError(
                f'no feature bank: {self.folder}\nlooked for {path}\nmake it: tcnn train CONFIG'
            )
        self.manifest = read_manifest(self.folder)
        rows = read_rows(osp.join(self.folder, FILES['rows']))
        self.boxes, self.labels = rows['boxes'], rows['labels'].astype(np.int64)
        self.first, self.sizes = rows['first'], rows['sizes']
        shape = tuple(self.manifest['shape'])
        self.features = open_features(osp.join(self.folder, FILES['features']), shape)
        self.context = context and not test_mode
        if self.context:
            self._open_whole(shape[-1])
        self.ids, self.images = ids, self._chosen(ids)
        self.rows = np.concatenate(
            [np.arange(self.first[i], self.first[i] + self.sizes[i]) for i in self.images]
        )
        if windows and not test_mode:
            self.rows = self.rows[self.labels[self.rows] >= 0]
        # Shared with workers that outlive an epoch.
        self._key = torch.zeros(2, dtype=torch.int64).share_memory_()

    def _open_whole(self, width: int) -> None:
        """Open whole-image features and labels, and the image of each row."""
        path = osp.join(self.folder, FILES['whole'])
        if not osp.isfile(path):
            raise UserError(
                f'{self.folder}: context=True needs a bank of sampled patches below the head, with '
                f'{FILES["whole"]}'
            )
        self.whole = open_features(path, (len(self.first), width))
        self.image_labels = np.stack(
            [
                image_labels(p['gt_label'], p['gt_label_difficult'], len(self.manifest['classes']))
                for p in self.manifest['pictures']
            ]
        )
        self.image_of = np.repeat(np.arange(len(self.sizes)), self.sizes)

    def _chosen(self, ids: str | None) -> np.ndarray:
        """Numbers of the images that are used."""
        names = [record.get('img_id') for record in self.manifest['pictures']]
        if ids is None:
            return np.arange(len(names))
        wanted = set(restrict_ids(names, ids, f'the bank {self.folder}'))
        return np.array([i for i, name in enumerate(names) if name in wanted])

    @property
    def metainfo(self) -> dict[str, Any]:
        """dict: `classes` as in the source."""
        return dict(classes=tuple(self.manifest['classes']))

    def full_init(self) -> None:
        """Do nothing: mmengine's ConcatDataset and its like call it, and a bank is read already."""

    def get_data_info(self, index: int) -> dict[str, Any]:
        """Id and path of the image of an item, and its classes: of a patch its one label."""
        image = self.images[index] if self.test_mode else self._image_of(self.rows[index])
        record = self.manifest['pictures'][int(image)]
        label = record['gt_label'] if self.test_mode else [int(self.labels[self.rows[index]])]
        return dict(img_id=record['img_id'], img_path=record['img_path'], gt_label=label)

    def get_cat_ids(self, index: int) -> list[int]:
        """Classes of an item, for mmengine's `ClassBalancedDataset`."""
        return self.get_data_info(index)['gt_label']

    def _image_of(self, rows: Any) -> Any:
        """Numbers of the images of some rows."""
        return np.searchsorted(self.first + self.sizes, rows, side='right')

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Fix the flips of an epoch (`EpochSeedHook`)."""
        self._key[0], self._key[1] = seed, epoch

    def __len__(self) -> int:
        return len(self.images) if self.test_mode else len(self.rows)

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """A training batch as one item of `BankPatches`; of a test bank its images one by one."""
        if self.test_mode:
            return [self[i] for i in indices]
        # In the file's order, which is what a disk likes; a batch has no order.
        rows = np.sort(self.rows[np.asarray(indices)])
        features = self.features[0, rows]
        if self.flips:
            turned = self._turned(rows)
            features[turned] = self.features[1, rows[turned]]
        self._check_finite(features, rows)
        batch = BankPatches(torch.from_numpy(features), torch.from_numpy(self.labels[rows]))
        if self.context:
            images = np.unique(self.image_of[rows])
            batch = batch._replace(
                whole=torch.from_numpy(np.array(self.whole[images])),
                image_labels=torch.from_numpy(self.image_labels[images]),
            )
        return [dict(inputs=batch)]

    def _check_finite(self, features: np.ndarray, rows: np.ndarray) -> None:
        """Raise a UserError with the ids of the images whose features (B, …) hold NaN or inf."""
        # The bits of the exponent: 3 times as fast as numpy's isfinite of float16.
        bits = features.view(np.uint16) & _EXPONENT
        if bits.size == 0 or bits.max() < _EXPONENT:
            return
        bad = rows[(bits == _EXPONENT).reshape(len(rows), -1).any(1)]
        images = np.unique(self._image_of(bad))
        ids = ', '.join(self.manifest['pictures'][i]['img_id'] for i in images[:3])
        raise UserError(
            f'{self.folder}: NaN or infinity in the features of {ids}; '
            f'{rebuild_advice(self.folder)}'
        )

    def _turned(self, indices: np.ndarray) -> np.ndarray:
        """Which of these patches are mirrored in this epoch: (B,) bool."""
        key = tuple(self._key.tolist())
        if getattr(self, '_drawn_for', None) != key:
            random = keyed_generator('bank flips', *key).random(len(self.labels), np.float32)
            self._drawn_for, self._drawn = key, random < 0.5
        return self._drawn[indices]

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not self.test_mode:
            return self.__getitems__([index])[0]
        index = self.images[index]
        rows = slice(self.first[index], self.first[index] + self.sizes[index])
        record = self.manifest['pictures'][index]
        sample = DataSample(
            metainfo=dict(
                img_id=record['img_id'],
                img_path=record['img_path'],
                ori_shape=tuple(record['size_hw']),
                gt_label_difficult=record['gt_label_difficult'],
            )
        )
        sample.set_gt_label(torch.tensor(record['gt_label'], dtype=torch.int64))
        labels = image_labels(
            record['gt_label'],
            record['gt_label_difficult'],
            len(self.manifest['classes']),
        )
        sample.set_field(torch.from_numpy(labels), 'image_labels', dtype=None)
        set_objects(sample, record)
        features = np.array(self.features[0, rows])
        self._check_finite(features, np.arange(rows.start, rows.stop))
        return dict(
            inputs=BankWindows(torch.from_numpy(features), self.boxes[rows]), data_samples=sample
        )
