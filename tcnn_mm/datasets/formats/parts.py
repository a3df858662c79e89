"""Which part of a data set (train, val, test) the name of a file or folder says."""

import re

ROLES = {
    'train': 'train', 'training': 'train', 'trn': 'train', 'trainset': 'train',
    'val': 'val', 'valid': 'val', 'validation': 'val', 'dev': 'val', 'eval': 'val',
    'valset': 'val', 'test': 'test', 'testing': 'test', 'tst': 'test', 'testset': 'test',
    'holdout': 'test',
    'trainval': 'trainval',
}  # fmt: skip


def part_of_name(name: str) -> str | None:
    """The part that one name says, in any case: 'seg_train', 'TrainData', 'train2017' → 'train'.

    Args:
        name: Of a file, without its folder and extension, or of a folder.

    Returns:
        'train', 'val', 'test', 'trainval', or None for a name that says none, or several.
    """
    apart = re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name)
    words = re.split(r'[^a-z]+', apart.lower())
    found = {ROLES[word] for word in words if word in ROLES}
    return found.pop() if len(found) == 1 else None


def part_of_path(path: str) -> str | None:
    """The part that the first folder of a path with such a name says, else the file's own name.

    Args:
        path: Below the root of the data, with '/', without the extension.
    """
    return next(filter(None, map(part_of_name, path.split('/'))), None)
