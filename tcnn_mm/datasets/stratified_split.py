"""Split data into train, val and test by the parts that they name, else by a stratified draw."""

from collections.abc import Iterable, Sequence

from tcnn_mm.datasets.nested_subset import nested_order
from tcnn_mm.errors import InvalidValueError

# Of the images without a part.
SHARES = dict(val=0.2, test=0.2)


def split_parts(
    parts: Sequence[str], labels: Sequence[Iterable[int]], seed: int = 0
) -> dict[str, list[int]]:
    """Choose the images for train, val and test.

    Images that the data name for val or test stay in it. A part without images is drawn from the
    others, stratified by class (:func:`nested_order`: rare classes go to training first), as a
    pure function of parts, labels and seed.

    Args:
        parts: 'train', 'val', 'test', 'trainval' or 'all' of each image.
        labels: The classes of each image.
        seed: Of the draw.

    Returns:
        'train', 'val', 'test' → numbers of its images, ascending.

    Raises:
        InvalidValueError: No images to train on.
    """
    chosen = {
        role: [n for n, part in enumerate(parts) if part == role]
        for role in ('val', 'test')
        if role in parts
    }
    free = [n for n, part in enumerate(parts) if part not in ('val', 'test')]
    if not free:
        raise InvalidValueError(f'nothing to train on: parts {", ".join(sorted(set(parts)))}')
    order = [free[n] for n in nested_order([labels[n] for n in free], seed)]
    counts = {r: round(share * len(order)) for r, share in SHARES.items() if r not in chosen}
    at = len(order) - sum(counts.values())
    chosen['train'] = sorted(order[:at])
    for role, count in counts.items():
        chosen[role], at = sorted(order[at : at + count]), at + count
    return {role: chosen[role] for role in ('train', 'val', 'test')}
