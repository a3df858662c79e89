"""Whether a fit is cross-validated, by how many folds, and which images stay together.

Letters: N images, K classes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tcnn_mm.datasets.checks.duplicate_images import find_duplicates
from tcnn_mm.datasets.formats.read_data import FoundData
from tcnn_mm.datasets.stratified_folds import class_counts, stratified_folds
from tcnn_mm.errors import UserError

FOLDS = 5
# Below so many images one split says too little of any class.
FEW_IMAGES = 200
# A class with fewer images in val or test has an AP of wide intervals.
FEW_POSITIVES = 10
# A bank of all windows of more images, and heads for each fold, are chosen by --folds alone.
MANY_IMAGES = 2000


@dataclass(frozen=True)
class FoldOptions:
    """What is asked for.

    Attributes:
        folds (int, optional): 0: one split into train, val and test; None: as the data need.
        repeats (int): Divisions into folds, of different seeds.
    """

    folds: int | None = 0
    repeats: int = 1


@dataclass(frozen=True)
class Folds:
    """Folds of the images that a fit trains on.

    Attributes:
        number (int): Of folds.
        held_out (ndarray): (repeats, N) int64, the fold in which each image is held out.
        reason (str): Why, in words.
        together (str): Which images stay in one fold, in words; '' for none.
    """

    number: int
    held_out: np.ndarray
    reason: str
    together: str

    @property
    def repeats(self) -> int:
        """Number of divisions."""
        return len(self.held_out)


def image_groups(found: FoundData, numbers: Sequence[int]) -> tuple[list[int], str]:
    """The group of each image, by the groups that the data name and by duplicates.

    Args:
        found: The data; fingerprints of decoded images tell duplicates.
        numbers: Of the images that are divided.

    Returns:
        (N,) numbers of groups; groups of more than one image in words, '' without any.
    """
    images = [found.images[n] for n in numbers]
    group = list(range(len(images)))
    first: dict[str, int] = {}
    named = [image.checked.image.group for image in images]
    for at, name in enumerate(named):
        if name:
            group[at] = first.setdefault(name, at)
    at_print = {(i.checked.image.part, i.print): at for at, i in enumerate(images)}
    copies = 0
    for duplicates in find_duplicates(found.prints):
        mine = [at_print[image] for image in duplicates.images if image in at_print]
        if len(mine) < 2:
            continue
        copies += len(mine)
        joined = {group[at] for at in mine}
        group = [min(joined) if g in joined else g for g in group]
    words = []
    if any(named):
        words.append(f'images of one group ({len(set(named) - {""})} groups)')
    if copies:
        words.append(f'duplicates ({copies} images)')
    return group, ' and '.join(words)


def choose_folds(
    found: FoundData,
    labels: Sequence[Sequence[int]],
    split: Mapping[str, Sequence[int]],
    options: FoldOptions,
    seed: int,
) -> tuple[list[int], Folds] | None:
    """Divide the images into folds, if that is asked for or the split is too small.

    Args:
        found: The data. Images that they name for test are in no fold.
        labels: N, the classes of each image.
        split: Role → numbers of its images, of a fit without folds.
        options: What is asked for.
        seed: Of the folds.

    Returns:
        Numbers of the images that are divided, ascending, and their folds; None for one split.

    Raises:
        UserError: Fewer groups than folds; groups that are named, without folds.
    """
    parts = [image.checked.image.part for image in found.images]
    numbers = [n for n, part in enumerate(parts) if part != 'test']
    named = any(found.images[n].checked.image.group for n in numbers)
    if options.folds == 0:
        if named:
            raise UserError('tcnn fit --group keeps images together in folds: add --folds 5')
        return None
    number = FOLDS if options.folds is None else options.folds
    reason = 'as asked for' if options.folds else _why(found, labels, split, numbers, named)
    if not reason:
        return None
    group, together = image_groups(found, numbers)
    most = len(set(group))
    if options.folds is None:
        number = min(number, most)
    if not 2 <= number <= most:
        what = 'groups of images' if together else 'images'
        raise UserError(
            f'{found.description}: {number} folds of {most} {what}: choose from 2 to {most} '
            '(tcnn fit --folds)'
            if most > 1
            else f'{found.description}: no images remain to test on; {len(numbers)} images, '
            f'{most} group; add images'
        )
    mine = [labels[n] for n in numbers]
    held_out = [
        stratified_folds(mine, number, seed + repeat, group) for repeat in range(options.repeats)
    ]
    return numbers, Folds(number, np.stack(held_out), reason, together)


def _why(
    found: FoundData,
    labels: Sequence[Sequence[int]],
    split: Mapping[str, Sequence[int]],
    numbers: Sequence[int],
    named: bool,
) -> str:
    """Why these data need folds; '' where one split is enough, or folds would take too long."""
    if named:
        return 'the data name groups of images'
    if len(numbers) < FEW_IMAGES:
        return f'{len(numbers)} images are fewer than {FEW_IMAGES}: one split would test on few'
    if len(numbers) > MANY_IMAGES:
        return ''
    used = class_counts([labels[n] for n in numbers], len(found.classes)) > 0
    parts = Counter(image.checked.image.part for image in found.images)
    for role in ('val', 'test'):
        if role == 'test' and parts['test']:
            continue  # folds do not change it
        counts = class_counts([labels[n] for n in split[role]], len(found.classes))
        few = np.flatnonzero(used & (counts < FEW_POSITIVES))
        if len(few):
            return (
                f'{role} would have {counts[few[0]]} images of {found.classes[few[0]]}, fewer '
                f'than {FEW_POSITIVES}'
            )
    return ''
