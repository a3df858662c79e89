"""Images per part and class, as lines of a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def class_table(
    infos: Mapping[str, Sequence[Mapping[str, Any]]], classes: Sequence[str], weak: bool
) -> list[str]:
    """Images per part, then images per class and part, and objects per class.

    Args:
        infos: `get_data_info` of all images, by part.
        weak: Without boxes there are no objects to count.
    """
    images = {
        role: Counter(int(k) for info in mine for k in np.unique(info['gt_label']))
        for role, mine in infos.items()
    }
    objects: Counter[int] = Counter()
    if not weak:
        for mine in infos.values():
            objects.update(int(k) for info in mine for k in info['gt_bboxes_labels'])
    wide = max([len(name) for name in classes] + [6])
    columns = [(role, max(len(role), 6)) for role in infos]
    head = f'{"class":{wide}}' + ('' if weak else f'  {"objects":>7}')
    lines = [
        'images: ' + ', '.join(f'{role} {len(mine)}' for role, mine in infos.items()),
        head + ''.join(f'  {role:>{w}}' for role, w in columns),
    ]
    for k, name in enumerate(classes):
        count = '' if weak else f'  {objects[k]:7d}'
        cells = ''.join(f'  {images[role][k]:{w}d}' for role, w in columns)
        lines.append(f'{name:{wide}}{count}{cells}')
    return lines
