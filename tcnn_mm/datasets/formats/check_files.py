"""Decode every image of a data set: damaged files are left out, duplicates are noted."""

from collections.abc import Callable, Mapping, Sequence

from tcnn_mm.datasets.checks.decode_images import decode_images
from tcnn_mm.datasets.checks.duplicate_images import DuplicateGroup, Fingerprint, find_duplicates
from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.check_images import CheckedImage, Progress, no_progress

# Part → image → what tells whether two images are the same.
Prints = dict[str, dict[str, Fingerprint]]


def check_files(
    checked: Sequence[CheckedImage],
    path_of: Callable[[str], str],
    account: Account,
    progress: Progress = no_progress,
) -> tuple[list[CheckedImage], Prints]:
    """The images whose files can be decoded, and their fingerprints for :func:`note_duplicates`.

    Args:
        checked: Images whose headers were read.
        path_of: Path of an image's file.
        account: Counts files that cannot be decoded.
        progress: Shows how many are decoded.
    """
    with progress(len(checked)) as step:
        found = decode_images([path_of(one.image.file) for one in checked], step)
    kept = []
    prints: Prints = {}
    for one in checked:
        path = path_of(one.image.file)
        result = found[path]
        if isinstance(result, str):
            reason = result.removeprefix(f'{path}: ')
            account.lose_image(f'image cannot be read: {reason}', one.image.file)
        else:
            kept.append(one)
            prints.setdefault(one.image.part, {})[one.image.file] = result
    return kept, prints


def note_duplicates(prints: Mapping[str, Mapping[str, Fingerprint]], account: Account) -> None:
    """One note per set of parts that share images, and one per part with duplicates in itself."""
    groups: dict[tuple[str, ...], list[DuplicateGroup]] = {}
    for group in find_duplicates(prints):
        groups.setdefault(group.parts, []).append(group)
    for parts, mine in groups.items():
        count = sum(len(group.images) for group in mine)
        exact = sum(group.exact for group in mine)
        kinds = [
            f'{n} {kind}' for n, kind in ((exact, 'exact'), (len(mine) - exact, 'nearly')) if n
        ]
        example = ' = '.join(file for _, file in mine[0].images[:2])
        where = f'shared by {" and ".join(parts)}' if len(parts) > 1 else f'within {parts[0]}'
        account.note(
            f'{count} images in {len(mine)} groups of duplicates {where} ({", ".join(kinds)}; '
            f'{example})'
        )
