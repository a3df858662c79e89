"""The classes of a data set after reading: names, classes that lost everything, rare ones."""

from collections import Counter
from collections.abc import Sequence

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedImages
from tcnn_mm.datasets.image_ids import check_class_name
from tcnn_mm.errors import UserError

# Training, validation and test need one image each.
FEWEST = 3


def check_classes(
    root: str,
    data: AnnotatedImages,
    used: Sequence[AnnotatedImage],
    account: Account,
    allow_missing: bool = False,
) -> list[str]:
    """The classes that remain; notes those that differ in case, or are rare.

    Args:
        root: Of the data, for errors.
        data: As the reader gave them.
        used: The images that remain.
        account: Gets the notes; its losses are the reasons.
        allow_missing: Leave out a class of which nothing remains.

    Raises:
        UserError: No class; a name that is none; a class whose images or objects are all left
            out.
    """
    if not data.classes:
        raise UserError(f'{root}: no class in the annotations')
    for name in data.classes:
        check_class_name(name, root)
    before, counts = (_images_per_class(images) for images in (data.images, used))
    gone = [name for name in data.classes if before[name] and not counts[name]]
    if gone and not allow_missing:
        losses = account.lost_images | account.lost_objects
        reasons = '; '.join(
            f'{len(entry)} × {reason} ({entry})' for reason, entry in losses.items()
        )
        raise UserError(
            f'{root}: nothing of {named(gone)} can be used: {reasons}; fix them, or leave the '
            'classes out: --allow-missing'
        )
    if gone:
        account.note(f'left out because nothing of them can be used: classes {named(gone)}')
    classes = [name for name in data.classes if name not in gone]
    by_case: dict[str, list[str]] = {}
    for name in classes:
        by_case.setdefault(name.casefold(), []).append(name)
    for names in by_case.values():
        if len(names) > 1:
            account.note(f'classes that differ only in case: {", ".join(names)}')
    rare = [f'{name} ({counts[name]})' for name in classes if counts[name] < FEWEST]
    if rare:
        account.note(
            f'too few images for training, validation and test, so figures will be missing or by '
            f'chance: {named(rare, 10)}'
        )
    return classes


def _images_per_class(images: Sequence[AnnotatedImage]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for image in images:
        counts.update({*image.labels, *(item.name for item in image.objects)})
    return counts
