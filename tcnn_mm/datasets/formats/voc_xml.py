"""One annotation file in PASCAL VOC's format."""

import math
import xml.etree.ElementTree as ET

from tcnn_mm.errors import UserError


def parse_voc_xml(path, allow_empty=False):
    """Read one annotation file.

    Element order is free; `difficult`, `truncated`, `size` or all objects may be missing.

    Args:
        path (str): The XML file.
        allow_empty (bool): Leave out objects with an empty box instead of raising.

    Returns:
        dict: `width`, `height` (int or None), `objects`: list of dicts with `name`, `box`
        (xmin, ymin, xmax, ymax as in the file), `difficult`, `truncated` (bool) and, where the
        object has <actions>, `actions` (name → bool); `empty`, the number of objects left out.

    Raises:
        UserError: Missing or broken XML, another root than <annotation>, an object without name
            or box, no number where one is due, x2 ≤ x1, y2 ≤ y1; one line with the path.
    """
    try:
        root = ET.parse(path).getroot()
    except OSError as error:
        raise UserError(f'{path}: no annotation ({error.strerror})') from error
    except (ET.ParseError, ValueError, LookupError) as error:  # the last two: its encoding
        raise UserError(f'{path}: broken XML ({error})') from error
    if root.tag != 'annotation':
        raise UserError(f"{path}: not in VOC's format: <{root.tag}>, expected <annotation>")

    def number(text, what):
        try:
            value = float(text)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise UserError(f'{path}: {what} is {text!r}, expected a number')
        return value

    # Some tools write 0 for "not known".
    size = {k: int(number(root.findtext(f'size/{k}') or 0, k)) or None for k in ('width', 'height')}
    objects, empty = [], 0
    for at, node in enumerate(root.iterfind('object'), 1):
        name, frame = (node.findtext('name') or '').strip(), node.find('bndbox')
        if not name or frame is None:
            lacking = f'({name}) has no <bndbox>' if name else 'has no <name>'
            raise UserError(f'{path}: object {at} {lacking}')
        corners = ('xmin', 'ymin', 'xmax', 'ymax')
        box = tuple(number(frame.findtext(c), f'object {at} ({name}): {c}') for c in corners)
        if box[2] <= box[0] or box[3] <= box[1]:
            if not allow_empty:
                raise UserError(
                    f'{path}: object {at} ({name}): empty box {box}, needs max > min; mend it, or '
                    'leave such boxes out: VOCObjects(allow_empty=True)'
                )
            empty += 1
            continue
        flags = {
            flag: bool(number(node.findtext(flag) or 0, f'object {at}: {flag}'))
            for flag in ('difficult', 'truncated')
        }
        if node.find('actions') is not None:
            flags['actions'] = {
                action.tag: bool(number(action.text, f'object {at}: {action.tag}'))
                for action in node.find('actions')
            }
        objects.append(dict(name=name, box=box, **flags))
    return dict(objects=objects, empty=empty, **size)


def clip_boxes(boxes, height, width, path):
    """Clip 0-based edges (N, 4) xyxy to the picture: the clipped boxes, how many changed.

    Raises:
        UserError: A box wholly outside; one line with the path and the box as VOC counts.
    """
    clipped = boxes.copy()
    clipped[:, 0::2] = clipped[:, 0::2].clip(0, width)
    clipped[:, 1::2] = clipped[:, 1::2].clip(0, height)
    empty = (clipped[:, 2:] <= clipped[:, :2]).any(1)
    if empty.any():
        x1, y1, x2, y2 = boxes[empty.argmax()]
        raise UserError(
            f'{path}: box ({x1 + 1:g}, {y1 + 1:g}, {x2:g}, {y2:g}) lies wholly outside the '
            f'picture of {width}×{height} pixels; was the picture turned or resized afterwards?'
        )
    return clipped, int((clipped != boxes).any(1).sum())
