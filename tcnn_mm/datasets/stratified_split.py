"""Train, val and test parts of a set without such lists; numpy alone."""

from tcnn_mm.datasets.nested_subset import nested_order

# Of the pictures that have no part yet.
SHARES = dict(val=0.2, test=0.2)


def split_roles(known, labels, seed=0):
    """Which pictures train, choose (val) and test.

    What the data name for a role stays as it is. A role without pictures is drawn from what is
    for training, stratified by class (:func:`nested_order`: rare classes go to training first),
    as a pure function of ids, labels and seed.

    Args:
        known (dict): Role ('train', 'val', 'test', 'trainval', 'all') → ids, in a fixed order.
        labels (dict): Role → the classes of each of these pictures.
        seed (int): Of the draw.

    Returns:
        dict: 'train', 'val', 'test' → (role that the ids are of, ids).

    Raises:
        ValueError: No part to train on, or pictures in two of train, val and test.
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
