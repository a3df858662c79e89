"""Is a finished feature bank that of a config, of today's annotations and of today's images?"""

import json
import os
import os.path as osp
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.checkpoints.atomic_write import atomic_write, remove_stale_drafts
from tcnn_mm.datasets.bank_reading import (
    FILES,
    read_manifest,
    read_rows,
    rebuild_advice,
    recipe_differences,
)
from tcnn_mm.datasets.remote_files import is_gone
from tcnn_mm.engine.bank_checksums import CHECKSUM, changed_rows
from tcnn_mm.engine.bank_contents import (
    annotation_record,
    changed_annotations,
    some_ids,
)
from tcnn_mm.engine.image_digests import (
    covers_ends,
    image_digests,
    image_paths,
    replaced_images,
)
from tcnn_mm.errors import UserError

Rows = dict[str, np.ndarray]


def same_rows(path: str, rows: Mapping[str, np.ndarray]) -> bool:
    """Whether a file of rows holds these boxes, to 0.001 pixels, labels and images."""
    stored = read_rows(path)
    return all(
        stored[key].shape == rows[key].shape and np.allclose(stored[key], rows[key], 0, 1e-3)
        for key in rows
    )


def check_bank(
    folder: str,
    recipe: dict[str, Any],
    dataset: BaseDataset,
    plan: Callable[[], Rows],
    advice: str | None = None,
) -> None:
    """Check that the bank in a folder is of this recipe and of the data as they are now.

    Edited annotations that change no patch of the bank, as those of a test bank, are written into
    its manifest. What a bank of an earlier version does not tell is logged as not checked. One in a
    folder that cannot be written is only read.

    Args:
        folder: The bank.
        recipe: Of :func:`bank_recipe`.
        dataset: The source, built.
        plan: Gives the rows that the bank would have now.
        advice: What to do about another bank; default: :func:`rebuild_advice`.

    Raises:
        UserError: Another recipe, with every difference; images that were replaced, whose
            edited annotations name other patches or cannot be written, or whose rows are not those
            that were written, with ids; a damaged bank.
    """
    advice = advice or rebuild_advice(folder)
    stored = read_manifest(folder)
    differences = recipe_differences(stored['recipe'], recipe)
    if differences:
        raise UserError(
            f'{folder}: this bank was made by another recipe: {"; ".join(differences)}; '
            f'{advice}, or give another `bank`'
        )
    records = stored['pictures']
    replaced = replaced_images(records, image_digests(dataset, records))
    if replaced:
        raise UserError(
            f'{folder}: the files of {some_ids(replaced)} were replaced since this bank was made; '
            f'{advice}'
        )
    changed_images = [records[number]['img_id'] for number in changed_rows(folder, stored)]
    if changed_images:
        raise UserError(
            f'{folder}: features, boxes or labels of {some_ids(changed_images)} are not those that '
            f'were written: damaged, or files of another bank; {rebuild_advice(folder)}'
        )
    now = [
        annotation_record(dataset.get_data_info(i), tuple(record['size_hw']))
        for i, record in enumerate(records)
    ]
    changed = changed_annotations(records, now)
    depends = bool(changed) and 'labeler' in recipe['sampler']
    if depends and not same_rows(osp.join(folder, FILES['rows']), plan()):
        raise UserError(
            f'{folder}: the annotations of {some_ids(changed)} were edited since this bank was '
            f'made, and they name other patches now; {advice}'
        )
    older = any('gt_bboxes' not in record for record in records)
    unsummed = any(CHECKSUM not in record for record in records)
    digests = [record.get('digest') for record in records]
    now_at = zip(records, image_paths(dataset), strict=True)
    gone = [record['img_id'] for record, path in now_at if is_gone(path)]
    if gone:
        print_log(
            f'{folder}: the files of {some_ids(gone)} are gone; their features stay', 'current'
        )
    _say_unchecked(
        folder,
        {
            'boxes were edited': older,
            'image files were replaced': None in digests,
            'the middle of large image files was edited': any(map(covers_ends, digests)),
            'features were damaged': unsummed,
        },
    )
    writable = os.access(folder, os.W_OK)
    if changed and not writable:
        raise UserError(
            f'{folder}: the annotations of {some_ids(changed)} were edited since this bank was '
            'made, and the folder cannot be written; copy it to one that can be, and give that as '
            '`bank`'
        )
    if writable and (changed or older):
        what = f'edited annotations of {some_ids(changed)}' if changed else 'objects of its images'
        for record, new in zip(records, now, strict=True):
            record.update(new)
        with atomic_write(osp.join(folder, FILES['manifest'])) as file:
            json.dump(stored, file)
        print_log(f'{folder}: added the {what}; its features stay', 'current')
    if writable:
        remove_stale_drafts(folder)
        for name in (FILES['done'], FILES['checksums']):  # of a build killed in its last moment
            if osp.isfile(osp.join(folder, name)):
                os.remove(osp.join(folder, name))


def _say_unchecked(folder: str, unknown: Mapping[str, bool]) -> None:
    """Log what the manifest of an earlier version does not tell."""
    if any(unknown.values()):
        what = ' or '.join(text for text, holds in unknown.items() if holds)
        print_log(
            f'{folder}: made by an earlier version: whether {what} since then is not checked; to '
            f'be sure, {rebuild_advice(folder)}',
            'current',
        )
