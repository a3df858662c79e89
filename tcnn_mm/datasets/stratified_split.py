"""Split data without such lists into train, val and test."""

from collections.abc import Iterable, Mapping, Sequence

from tcnn_mm.datasets.nested_subset import nested_order

# Of the images without a role.
SHARES = dict(val=0.2, test=0.2)


def split_roles(
    known: Mapping[str, Sequence[str]],
    labels: Mapping[str, Sequence[Iterable[int]]],
    seed: int = 0,
) -> dict[str, tuple[str, list[str]]]:
    """Choose the images for train, val and test.

    The images that the data name for a role stay in it. A role without images is drawn from those
    for training, stratified by class (:func:`nested_order`: rare classes go to training first),
    as a pure function of ids, labels and seed.

    Args:
        known: Role ('train', 'val', 'test', 'trainval', 'all') → ids, in a fixed order.
        labels: Role → the classes of each of these images.
        seed: Of the draw.

    Returns:
        'train', 'val', 'test' → (role that the ids are drawn from, ids).

    Raises:
        ValueError: No images to train on, or images in two of train, val and test.
    """
    result = {role: (role, list(known[role])) for role in ('val', 'test') if role in known}
    pool = next((role for role in ('train', 'trainval', 'all') if role in known), None)
    if pool is None:
        raise ValueError(f'nothing to train on: parts {", ".join(known)}')
    taken = {i for _, ids in result.values() for i in ids}
    if pool == 'train' and taken.intersection(known['train']):
        both = sorted(taken.intersection(known['train']))
        raise ValueError(f'{both[0]} is for training and for val or test ({len(both)} such)')
    # trainval contains val.
    free = [n for n, i in enumerate(known[pool]) if i not in taken]
    order = [free[n] for n in nested_order([labels[pool][n] for n in free], seed)]
    counts = {r: round(share * len(order)) for r, share in SHARES.items() if r not in result}
    at = len(order) - sum(counts.values())
    chosen = dict(train=order[:at])
    for role, count in counts.items():
        chosen[role], at = order[at : at + count], at + count
    for role, numbers in chosen.items():
        result[role] = (pool, [known[pool][n] for n in sorted(numbers)])
    return {role: result[role] for role in ('train', 'val', 'test')}
