"""The images to choose from: those of a folder that can be read and that nothing labelled shows.

Letters: N images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tcnn_mm.datasets.checks.duplicate_images import Fingerprint, find_duplicates, fingerprint
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.labelling.suggest_features import PoolImage

LABELLED, POOL = 'labelled', 'unlabelled'


@dataclass
class Pool:
    """What can be suggested, and what cannot.

    Attributes:
        images (list[PoolImage]): N to choose from, in the order of their paths.
        labelled (list[PoolImage]): Those that are labelled.
        copies (list[str]): Paths that show what a labelled image shows, nearly.
        repeats (list[str]): Paths that show what another one to choose from shows, nearly.
        errors (list[str]): A line for each image that cannot be read.
        lost (list[str]): Paths of labelled images that are not there or cannot be read any more.
    """

    images: list[PoolImage] = field(default_factory=list)
    labelled: list[PoolImage] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """What was left out and why, in sentences."""
        counted = (
            (self.copies, 'are labelled already, or nearly the same as a labelled image'),
            (self.repeats, 'are nearly the same as another of the folder'),
            (self.errors, 'cannot be read'),
            (self.lost, 'of the labelled images are not there any more: near-duplicates of them '
                        'are not known'),
        )  # fmt: skip
        return [
            f'{len(found)} {"image" if len(found) == 1 else "images"} {why}.'
            for found, why in counted
            if found
        ]


def make_pool(unlabelled: Sequence[str], labelled: Sequence[str]) -> Pool:
    """Take the fingerprints of images; leave out what is labelled or there more than once.

    Args:
        unlabelled: Paths.
        labelled: Paths.

    Returns:
        The pool; its order does not depend on that of the paths.
    """
    pool = Pool()
    prints: dict[str, dict[str, Fingerprint]] = {LABELLED: {}, POOL: {}}
    bar = progress_bar(len(unlabelled) + len(labelled), 'file')
    for part, paths in ((LABELLED, labelled), (POOL, unlabelled)):
        for path in sorted(set(paths)):
            try:
                prints[part][path] = fingerprint(path)
            except UserError as error:
                if part == POOL:
                    pool.errors.append(str(error))
                else:
                    pool.lost.append(path)
            bar.update()
    bar.close()
    dropped: set[str] = set()
    for group in find_duplicates(prints):
        mine = [path for part, path in group.images if part == POOL]
        if LABELLED in group.parts:
            pool.copies += mine
            dropped |= {*mine}
        else:
            pool.repeats += mine[1:]
            dropped |= {*mine[1:]}
    pool.images = [
        PoolImage(path, found.content)
        for path, found in prints[POOL].items()
        if path not in dropped
    ]
    pool.labelled = [PoolImage(path, found.content) for path, found in prints[LABELLED].items()]
    return pool
