"""The classes of a data set after reading: names, classes that lost everything, rare ones."""

import unicodedata
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
    """The classes that remain; notes those that look alike, or are rare.

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
    note_alike(classes, account)
    rare = [f'{name} ({counts[name]})' for name in classes if counts[name] < FEWEST]
    if rare:
        account.note(
            f'too few images for training, validation and test, so figures will be missing or by '
            f'chance: {named(rare, 10)}'
        )
    return classes


def note_alike(classes: Sequence[str], account: Account) -> None:
    """Note the classes whose names look the same, or nearly."""
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(_letters(name), []).append(name)
    for names in alike.values():
        if len(names) < 2:
            continue
        case = len({name.casefold() for name in names}) == 1
        how = 'in case' if case else 'in case, blanks, or the way their letters are written'
        account.note(f'classes that differ only {how}: {", ".join(map(_visible, names))}')


def join_equal_names(data: AnnotatedImages, account: Account) -> None:
    """Make one class of names that are the same text in two Unicode forms, as of macOS.

    Args:
        data: Changed in place.
        account: Counts the objects, or images, whose name is written in another form now.
    """
    forms: dict[str, set[str]] = {}
    for name in data.classes:
        forms.setdefault(unicodedata.normalize('NFC', name), set()).add(name)
    new = {name: form for form, names in forms.items() if len(names) > 1 for name in names}
    if not new:
        return
    reason = 'accents of the class name in another Unicode form'
    data.classes = list(dict.fromkeys(new.get(name, name) for name in data.classes))
    for image in data.images:
        for item in image.objects:
            if new.get(item.name, item.name) != item.name:
                account.repair(reason, item.where)
                item.name = new[item.name]
        labels = list(dict.fromkeys(new.get(name, name) for name in image.labels))
        if labels != image.labels:
            account.repair(reason, image.where)
            image.labels = labels


def _letters(name: str) -> str:
    """A name without what the eye may miss: case, blanks, invisible and equivalent characters."""
    text = unicodedata.normalize('NFKC', name).casefold()
    return ''.join(c for c in text if not c.isspace() and unicodedata.category(c) != 'Cf')


def _visible(name: str) -> str:
    """A name in quotes where that shows blanks, with escapes for what cannot be seen."""
    text = ''.join(
        f'\\u{ord(c):04x}' if unicodedata.category(c) == 'Cf' or (c.isspace() and c != ' ') else c
        for c in name
    )
    return f'"{text}"' if ' ' in text else text


def _images_per_class(images: Sequence[AnnotatedImage]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for image in images:
        counts.update({*image.labels, *(item.name for item in image.objects)})
    return counts
