"""Sizes of images that the items of a data set do not tell, read from the headers of the files."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.errors import UserError


def with_sizes(items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield items with height and width in pixels, and with flags of their objects.

    Args:
        items: As `get_data_info` of a data set gives them; of other packages' data sets they may
            lack `height`, `width` and `gt_bboxes_difficult`.

    Raises:
        UserError: No size and no image file to read it from; the file cannot be read.
    """
    for item in items:
        found = dict(item)
        if not (found.get('height') and found.get('width')):
            if not found.get('img_path'):
                raise UserError(
                    f'{found.get("img_id", "an item")}: neither height and width nor img_path are '
                    'known; give the data set with_images=True, or items with these keys'
                )
            found['height'], found['width'] = image_size(found['img_path'])
        if 'gt_bboxes_difficult' not in found:
            found['gt_bboxes_difficult'] = np.zeros(len(found['gt_bboxes']), bool)
        yield found
