"""Files of a feature bank while it is made: a draft beside its place, complete or absent.

The manifest calls images `pictures`: the format is older than the word.
"""

import errno
import json
import math
import os
import os.path as osp
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dist import barrier, get_world_size
from mmengine.logging import print_log

from tcnn_mm.checkpoints.atomic_write import atomic_write, remove_stale_drafts
from tcnn_mm.checkpoints.owner_lock import owner_lock, remove_unheld
from tcnn_mm.datasets.bank_reading import FILES, read_manifest, recipe_differences
from tcnn_mm.engine.bank_check import same_rows
from tcnn_mm.engine.bank_checksums import CHECKSUM
from tcnn_mm.engine.distributed import on_main_process
from tcnn_mm.engine.image_digests import replaced_images
from tcnn_mm.errors import UserError

# Endings: the folder of an unfinished bank, and the file that says who makes it.
PART, LOCK = '.part', '.lock'
# Bytes that are written at once where blocks cannot be reserved.
BLOCK = 1 << 22


@contextmanager
def sole_builder(folder: str) -> Iterator[None]:
    """Wait until no other command makes this bank, and keep others waiting.

    Raises:
        UserError: The bank cannot be locked; another command makes it, and this one has several
            processes, which do not wait: their connection would time out.
    """

    def busy(owner: str) -> None:
        if get_world_size() > 1:
            raise UserError(f'{folder}: {owner} is making this bank; start again when it is done')
        print_log(f'{folder}: {owner} is making this bank; waiting for it', 'current')

    with ExitStack() as held:
        on_main_process(lambda: held.enter_context(owner_lock(folder + LOCK, busy)))
        yield


def refuse_other_folder(folder: str) -> None:
    """Raise a UserError where something other than an empty folder is in the place of a bank.

    A folder cannot take the place of a link.
    """
    if osp.islink(folder):
        raise UserError(
            f'{folder}: a link to {os.readlink(folder)}, where no feature bank is; give that '
            'folder as `bank`, or remove the link'
        )
    if osp.exists(folder) and not (osp.isdir(folder) and not os.listdir(folder)):
        raise UserError(f'{folder}: no feature bank, and not empty; give another `bank`')


def remove_lock(folder: str) -> None:
    """Remove the lock of a bank that a killed builder left."""
    remove_unheld(folder + LOCK)


@dataclass
class BankDraft:
    """The arrays of an unfinished bank, on disk.

    Attributes:
        folder (str): The draft.
        features (memmap): (flips, rows, …) float16.
        whole (memmap, optional): (images, D) float16, mean features of the largest patches.
        done (memmap): (images,) uint8, 1 where an image is complete.
        checksums (memmap): (images,) uint32, of :func:`row_checksum`, where it is.
    """

    folder: str
    features: np.memmap
    whole: np.memmap | None
    done: np.memmap
    checksums: np.memmap


def _whole_shape(
    recipe: Mapping[str, Any], images: int, feature_shape: Sequence[int]
) -> tuple[int, int] | None:
    """Shape of the features of whole images; None where the bank holds none."""
    flat = len(feature_shape) == 1 and recipe['patches'] != 'all'
    return (images, feature_shape[0]) if flat else None


def _why_not_continued(
    draft: str, manifest: Mapping[str, Any], rows: Mapping[str, np.ndarray]
) -> str | None:
    """Why a draft is not one of this bank; None where it is, or where none is complete."""
    if osp.islink(draft) or any(osp.islink(osp.join(draft, name)) for name in FILES.values()):
        return 'with links, through which it would be written into another folder'
    if not osp.isfile(osp.join(draft, FILES['manifest'])):
        return None
    stored = read_manifest(draft)
    differences = recipe_differences(stored['recipe'], manifest['recipe'])
    if differences:
        return f'of another recipe ({"; ".join(differences)})'
    if not same_rows(osp.join(draft, FILES['rows']), rows):
        return 'of other patches: annotations were edited since'
    for name, size in _sizes(manifest).items():
        path = osp.join(draft, name)
        if not osp.isfile(path) or osp.getsize(path) != size:
            return f'without a whole {name}'
    return None


def _sizes(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Name → bytes of the files that are filled image by image."""
    recipe, shape, images = manifest['recipe'], manifest['shape'], len(manifest['pictures'])
    sizes = {
        FILES['features']: 2 * math.prod(shape),
        FILES['done']: images,
        FILES['checksums']: 4 * images,
    }
    whole = _whole_shape(recipe, images, shape[2:])
    return dict(sizes, **({FILES['whole']: 2 * math.prod(whole)} if whole else {}))


def allocate(path: str, size: int) -> None:
    """Reserve the blocks of a file on disk; bytes that it has not yet are 0.

    A write through a memory map of a file with holes ends the process by SIGBUS on a full disk.

    Raises:
        OSError: No space.
    """
    with open(path, 'ab') as file:
        if hasattr(os, 'posix_fallocate'):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
                return
            except OSError as error:  # of a file system without it, or of 0 bytes
                if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                    raise
        for start in range(file.tell(), size, BLOCK):
            file.write(bytes(min(BLOCK, size - start)))


def _create(folder: str, draft: str, manifest: Mapping[str, Any], rows: Mapping[str, Any]) -> None:
    """Write the files of a new draft; its manifest last, so that it marks a whole draft."""
    os.makedirs(draft)
    shape, sizes = manifest['shape'], _sizes(manifest)
    need, free = sum(sizes.values()), shutil.disk_usage(draft).free
    print_log(
        f'feature bank {folder}: {shape[1]} patches of {len(manifest["pictures"])} images × '
        f'{shape[0]} × {"×".join(map(str, shape[2:]))} float16, {need / 1e9:.2f} GB of disk '
        f'({free / 1e9:.1f} GB free)',
        'current',
    )
    if need * 1.02 > free:
        raise UserError(
            f'{folder}: needs {need / 1e9:.2f} GB, the disk has {free / 1e9:.1f} GB free'
        )
    np.savez(osp.join(draft, FILES['rows']), **rows)
    for name, size in sizes.items():
        allocate(osp.join(draft, name), size)
    with atomic_write(osp.join(draft, FILES['manifest'])) as text:
        json.dump(manifest, text)


def _begin(folder: str, manifest: dict[str, Any], rows: Mapping[str, np.ndarray]) -> None:
    """Continue the draft of a bank, or begin one."""
    draft = folder + PART
    try:
        reason = _why_not_continued(draft, manifest, rows)
    except UserError as error:
        reason = f'damaged ({error})'
    if reason:
        print_log(f'{draft}: an unfinished bank, {reason}; begun anew', 'current')
    try:
        if not reason and osp.isfile(osp.join(draft, FILES['manifest'])):
            _continue(draft, manifest)
            return
        if osp.islink(draft):
            os.unlink(draft)
        shutil.rmtree(draft, ignore_errors=True)
        try:
            _create(folder, draft, manifest, rows)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise UserError(
            f'{folder}: the bank cannot be written ({error.strerror or error}); make room, or give '
            'another `bank`'
        ) from error


def _continue(draft: str, manifest: dict[str, Any]) -> None:
    """Bring a draft up to date: images that were replaced since are to be computed again."""
    remove_stale_drafts(draft)
    stored = read_manifest(draft)
    before, now = stored['pictures'], manifest['pictures']
    replaced = set(replaced_images(before, [record['digest'] for record in now]))
    if replaced:
        done = np.memmap(osp.join(draft, FILES['done']), np.uint8, mode='r+')
        done[[i for i, record in enumerate(now) if record['img_id'] in replaced]] = 0
        done.flush()
    for name, size in _sizes(manifest).items():
        allocate(osp.join(draft, name), size)  # drafts of earlier versions have holes
    # Of images without a digest it is not known which file was read.
    kept = [
        record if 'digest' in old else {k: v for k, v in record.items() if k != 'digest'}
        for old, record in zip(before, now, strict=True)
    ]
    if kept != before:
        with atomic_write(osp.join(draft, FILES['manifest'])) as text:
            json.dump(dict(stored, pictures=kept), text)


def open_draft(
    folder: str,
    recipe: Mapping[str, Any],
    images: Sequence[Mapping[str, Any]],
    rows: Mapping[str, np.ndarray],
    feature_shape: Sequence[int],
) -> BankDraft:
    """Open the draft of a bank; one of the same recipe is continued, any other begun anew.

    Args:
        folder: Of the finished bank.
        recipe: Of :func:`bank_recipe`.
        images: Records of the images, with digests in the main process.
        rows: Boxes (N, 4), labels (N,), first and sizes (images,).
        feature_shape: Of one patch.

    Raises:
        UserError: The disk has too little space.
    """
    shape = (1 + recipe['flips'], len(rows['labels']), *feature_shape)
    classes = recipe['source']['classes']
    manifest = dict(recipe=dict(recipe), shape=shape, classes=classes, pictures=list(images))
    on_main_process(lambda: _begin(folder, manifest, rows))
    draft, whole, whole_shape = folder + PART, None, _whole_shape(recipe, len(images), shape[2:])
    if whole_shape:
        path = osp.join(draft, FILES['whole'])
        whole = np.memmap(path, np.float16, mode='r+', shape=whole_shape)
    return BankDraft(
        folder=draft,
        features=np.memmap(osp.join(draft, FILES['features']), np.float16, 'r+', shape=shape),
        whole=whole,
        done=np.memmap(osp.join(draft, FILES['done']), np.uint8, mode='r+'),
        checksums=np.memmap(osp.join(draft, FILES['checksums']), '<u4', mode='r+'),
    )


def remove_notes(folder: str) -> None:
    """Remove the files of a draft that a finished bank does not need."""
    for name in (FILES['checksums'], FILES['done']):
        with suppress(FileNotFoundError):
            os.remove(osp.join(folder, name))


def finish_draft(draft: BankDraft, folder: str) -> None:
    """Put a complete draft in its place, after all processes have filled it.

    Raises:
        UserError: Images are missing.
    """
    barrier()
    on_main_process(lambda: _finish(draft, folder))


def _finish(draft: BankDraft, folder: str) -> None:
    """Rename a complete draft."""
    missing = int((np.asarray(draft.done) == 0).sum())
    if missing:
        raise UserError(f'{draft.folder}: {missing} images are missing; run the command again')
    manifest = read_manifest(draft.folder)
    for record, checksum in zip(manifest['pictures'], draft.checksums.tolist(), strict=True):
        record[CHECKSUM] = checksum
    with atomic_write(osp.join(draft.folder, FILES['manifest'])) as text:
        json.dump(manifest, text)
    # The list of what is done goes last: killed before it, the command still knows.
    os.replace(draft.folder, folder)
    remove_notes(folder)
    print_log(f'feature bank complete: {folder}', 'current')
