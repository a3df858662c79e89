"""Copy the features of images from an earlier bank of the same network and patches.

Letters: N rows of a bank.
"""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.datasets.bank_reading import (
    FILES,
    open_features,
    read_manifest,
    read_rows,
    recipe_differences,
)
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.datasets.remote_files import is_gone
from tcnn_mm.engine.bank_checksums import CHECKSUM, row_checksum
from tcnn_mm.engine.bank_contents import some_ids
from tcnn_mm.engine.bank_files import BankDraft
from tcnn_mm.engine.image_digests import image_digests
from tcnn_mm.errors import UserError

Rows = Mapping[str, np.ndarray]


class EarlierBank:
    """A finished bank that rows are copied from.

    Args:
        folder (str): The bank.

    Raises:
        UserError: No bank, or a damaged one.
    """

    def __init__(self, folder: str) -> None:
        self.folder, self.manifest = folder, read_manifest(folder)
        self.rows = read_rows(osp.join(folder, FILES['rows']))
        shape = self.manifest['shape']
        self.features = open_features(osp.join(folder, FILES['features']), shape)
        path = osp.join(folder, FILES['whole'])
        images = len(self.manifest['pictures'])
        self.whole = open_features(path, (images, shape[-1])) if osp.isfile(path) else None
        self._number = {r['img_id']: n for n, r in enumerate(self.manifest['pictures'])}

    def record(self, image_id: str) -> Mapping[str, Any]:
        """What its manifest keeps of an image; empty for another one."""
        number = self._number.get(image_id)
        return {} if number is None else self.manifest['pictures'][number]

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """tuple[int, ...]: Of one row."""
        return tuple(self.manifest['shape'][2:])

    def differences(self, recipe: Mapping[str, Any]) -> list[str]:
        """In what another bank of the same patches would have other features.

        Which patches it has is compared image by image: its classes and labels may be others.
        """
        mine, other = (
            {key: each[key] for key in ('network', 'patches', 'flips')}
            | dict(grid=each['sampler']['grid'])
            for each in (self.manifest['recipe'], recipe)
        )
        return recipe_differences(mine, other)

    def find(self, record: Mapping[str, Any], boxes: np.ndarray) -> int | None:
        """The number of an image in this bank; None if its file or its patches are others.

        Args:
            record: Of the image, with its digest.
            boxes: (n, 4) of its patches.
        """
        number = self._number.get(record['img_id'])
        if number is None or self.record(record['img_id']).get('digest') != record.get('digest'):
            return None
        mine = self.rows['boxes'][self.part(number)]
        return number if mine.shape == boxes.shape and np.allclose(mine, boxes, 0, 1e-3) else None

    def part(self, number: int) -> slice:
        """The rows of an image."""
        first = self.rows['first'][number]
        return slice(first, first + self.rows['sizes'][number])

    def is_whole(self, number: int) -> bool:
        """Whether the rows of an image are those that were written."""
        known = self.manifest['pictures'][number].get(CHECKSUM)
        return known in (None, row_checksum(self.features, self.whole, self.rows, number))


def digests_of(dataset: BaseDataset, earlier: EarlierBank | None) -> list[str]:
    """Digests of the image files of a data set; of a file that is gone that of an earlier bank."""
    if earlier is None:
        return image_digests(dataset)
    ids = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    return image_digests(dataset, [earlier.record(img_id) for img_id in ids])


def size_of(info: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width of an image, by its file, or by its record where the file is gone."""
    if is_gone(info['img_path']) and info.get('height') and info.get('width'):
        return int(info['height']), int(info['width'])
    return image_size(info['img_path'])


def copy_rows(
    earlier: EarlierBank, draft: BankDraft, rows: Rows, records: Sequence[Mapping[str, Any]]
) -> None:
    """Copy the features of the images of a draft that an earlier bank has, and mark them done.

    Args:
        earlier: Of the same recipe.
        draft: Gets the features.
        rows: As its file holds them.
        records: Of its images, with digests.

    Raises:
        UserError: The file of an image is gone, and so are its features.
    """
    copied, damaged = 0, []
    for image, record in enumerate(records):
        part = slice(rows['first'][image], rows['first'][image] + rows['sizes'][image])
        number = earlier.find(record, rows['boxes'][part])
        if draft.done[image] or number is None:
            continue
        if not earlier.is_whole(number):
            damaged.append(record['img_id'])
            continue
        draft.features[:, part] = earlier.features[:, earlier.part(number)]
        if draft.whole is not None and earlier.whole is not None:
            draft.whole[image] = earlier.whole[number]
        draft.checksums[image] = row_checksum(draft.features, draft.whole, rows, image)
        copied += 1
        draft.done[image] = 1
    for array in (draft.features, draft.whole, draft.checksums, draft.done):
        if array is not None:
            array.flush()
    if damaged:
        print_log(
            f'{earlier.folder}: the features of {some_ids(damaged)} are damaged: computed again',
            'current',
        )
    print_log(
        f'{copied} of {len(records)} images: features copied from {earlier.folder}', 'current'
    )
    missing = [record for record, done in zip(records, draft.done, strict=True) if not done]
    gone = [record['img_id'] for record in missing if is_gone(record['img_path'])]
    if gone:
        raise UserError(
            f'the files of {some_ids(gone)} are gone, and {earlier.folder} has no features of '
            'them; put the files back'
        )


def open_earlier(folder: str | None, recipe: Mapping[str, Any]) -> EarlierBank | None:
    """The earlier bank to copy from, if there is one of this recipe; says why not."""
    if folder is None or not osp.isfile(osp.join(folder, FILES['manifest'])):
        return None
    earlier = EarlierBank(folder)
    differences = earlier.differences(recipe)
    if differences:
        print_log(
            f'{folder}: of another recipe ({"; ".join(differences)}): its features are not used',
            'current',
        )
        return None
    return earlier
