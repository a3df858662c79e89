"""Columns of a table that hold boxes and image sizes, and the forms that boxes are written in."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tcnn_mm.datasets.formats.annotated_images import Box
from tcnn_mm.datasets.formats.table_cells import Column, is_missing, number_of
from tcnn_mm.datasets.formats.table_text import shown
from tcnn_mm.errors import UserError

# corners: x1, y1, x2, y2; size: x1, y1, width, height; centre: x and y of it, width, height.
Form = Literal['corners', 'size', 'centre']

ROLES: dict[str, set[str]] = {
    'x1': {'xmin', 'x1', 'left', 'xtl', 'minx'},
    'y1': {'ymin', 'y1', 'top', 'ytl', 'miny'},
    'x2': {'xmax', 'x2', 'right', 'xbr', 'maxx'},
    'y2': {'ymax', 'y2', 'bottom', 'ybr', 'maxy'},
    'x': {'x'},
    'y': {'y'},
    'cx': {'cx', 'xc', 'xcenter', 'xcentre', 'centerx', 'centrex'},
    'cy': {'cy', 'yc', 'ycenter', 'ycentre', 'centery', 'centrey'},
    'w': {'w'},
    'h': {'h'},
    'text': {'bbox', 'bboxes', 'box', 'boundingbox', 'bndbox'},
}
SIDES = ({'width': 'w', 'height': 'h'}, {'imagewidth': 'W', 'imageheight': 'H'})
ARROWS = {'left', 'top', 'right', 'bottom', 'x', 'y'}
BOX_PREFIX = re.compile(r'(boundingbox|bndbox|bbox|box|bb)(?=.)')
IMAGE_PREFIX = re.compile(r'(image|img|im|orig|original)(?=w$|h$|width$|height$)')
FOUR_NUMBERS = re.compile(r'[\[(]?\s*' + r'[\s,;]+'.join([r'([-+.\deE]+)'] * 4) + r'\s*[\])]?')
# The share of boxes that may contradict a form, as wrong boxes occur in any table.
WRONG = 0.02


class BoxColumns(NamedTuple):
    """Where a table has its boxes.

    Attributes:
        columns (list[Column]): Four of numbers, in the order of the form; or one of text.
        form (Form, optional): None where the numbers themselves must tell.
    """

    columns: list[Column]
    form: Form | None


@dataclass
class BoxPlan:
    """Columns of boxes and of the image's width and height, where a table has them."""

    box: BoxColumns | None = None
    width: Column | None = None
    height: Column | None = None

    @property
    def used(self) -> set[int]:
        """Places of these columns."""
        box = self.box.columns if self.box else []
        return {c.at for c in [*box, self.width, self.height] if c is not None}


def role_of(heading: str) -> str | None:
    """What a heading says of a box: 'x1', 'w' (of the box), 'W' (of the image), 'width'."""
    name = re.sub(r'[\W_]+', '', heading.lower())
    image = IMAGE_PREFIX.sub('', name)
    if image != name:
        return 'W' if image.startswith('w') else 'H'
    if name in ('width', 'height'):
        return name
    roles = [role for role, names in ROLES.items() if name in names]
    bare = BOX_PREFIX.sub('', name)
    if not roles and bare != name:
        bare = {'width': 'w', 'height': 'h', 'min': '', 'max': ''}.get(bare, bare)
        roles = [role for role, names in ROLES.items() if bare in names and role != 'text']
    return roles[0] if roles else None


def find_boxes(columns: Sequence[Column], path: str) -> BoxPlan:
    """Find columns of boxes by the heading line.

    Args:
        columns: All but the column of file names.
        path: The table, for messages.

    Raises:
        UserError: A part of the columns that a box needs; two columns of one meaning.
    """
    found: dict[str, Column] = {}
    for column in columns:
        role = role_of(column.heading) if column.heading else None
        if role is None or not (role == 'text' or column.mostly_numbers or not column.values):
            continue
        if role == 'text' and not any(map(FOUR_NUMBERS.fullmatch, column.values)):
            continue
        if role in found:
            raise UserError(
                f'{path}: {found[role].title} and {column.title} say the same of a box; leave '
                'one out'
            )
        found[role] = column
    # Classes may be called 'left' and 'right', with a column of 0 and 1 each.
    arrows = found.keys() & {'x1', 'y1', 'x2', 'y2', 'x', 'y'}
    if all(found[r].is_flags and found[r].heading.lower() in ARROWS for r in arrows):
        found = {role: column for role, column in found.items() if role not in arrows}
    return _plan(found, path)


def _plan(found: Mapping[str, Column], path: str) -> BoxPlan:
    """Choose the form of boxes from the roles of columns."""
    box: BoxColumns | None = None
    sides = ('w', 'h') if {'w', 'h'} <= found.keys() else ('width', 'height')
    orders: tuple[tuple[Form, tuple[str, ...]], ...] = (
        ('corners', ('x1', 'y1', 'x2', 'y2')),
        ('size', ('x1', 'y1', *sides)),
        ('size', ('x', 'y', *sides)),
        ('centre', ('cx', 'cy', *sides)),
    )
    for form, roles in orders:
        if found.keys() >= set(roles):
            box = BoxColumns([found[role] for role in roles], form)
            break
    else:
        if 'text' in found:
            box = BoxColumns([found['text']], None)
    used = {c.at for c in box.columns} if box else set()
    corners = [r for r in found if r not in ('W', 'H', 'width', 'height', 'w', 'h', 'text')]
    if corners and not box:
        raise UserError(
            f'{path}: {", ".join(found[r].title for r in corners[:4])}: a part of a box; write the '
            'columns xmin,ymin,xmax,ymax or x,y,w,h, or leave these out'
        )
    size = [found.get('W', found.get('width')), found.get('H', found.get('height'))]
    width, height = [c if c is not None and c.at not in used else None for c in size]
    return BoxPlan(box, width, height)


def find_unnamed_boxes(columns: Sequence[Column]) -> BoxPlan:
    """Find boxes in a table without heading: four columns of numbers beside each other.

    Two more columns of numbers beside each other are the image's width and height. The order of
    makesense, label,x,y,w,h,file,W,H, says the form of the boxes; else their numbers must tell.

    Args:
        columns: All but the column of file names.
    """
    runs: list[list[Column]] = []
    for column in columns:
        if not column.is_numeric:
            continue
        if runs and runs[-1][-1].at == column.at - 1:
            runs[-1].append(column)
        else:
            runs.append([column])
    runs = [run for run in runs if not all(column.is_flags for column in run)]
    four = [run for run in runs if len(run) == 4]
    two = [run for run in runs if len(run) == 2]
    if len(four) != 1 or len(two) > 1 or len(four) + len(two) != len(runs):
        return BoxPlan()
    width, height = two[0] if two else (None, None)
    makesense = two and four[0][0].at == 1 and two[0][0].at == 6
    return BoxPlan(BoxColumns(four[0], 'size' if makesense else None), width, height)


def numbers_at(box: BoxColumns, row: int, where: str) -> Box | None:
    """The four numbers of one row; None where all are missing.

    Raises:
        UserError: Other than four finite numbers.
    """
    cells = [column.cells[row] for column in box.columns]
    if all(map(is_missing, cells)):
        return None
    texts = cells
    if len(cells) == 1:
        match = FOUR_NUMBERS.fullmatch(cells[0])
        texts = list(match.groups()) if match else []
    values = [value for value in map(number_of, texts) if value is not None]
    if len(values) != 4 or not all(map(math.isfinite, values)):
        raise UserError(_no_box(box, cells, where))
    x, y, z, w = values
    return x, y, z, w


def _no_box(box: BoxColumns, cells: Sequence[str], where: str) -> str:
    """The line of a row whose cells are not four numbers."""
    if len(cells) == 1:
        return (
            f'{where}: {box.columns[0].title} holds no box; write the columns xmin,ymin,xmax,ymax'
        )
    values = list(map(number_of, cells))
    at = next(n for n, v in enumerate(values) if v is None or not math.isfinite(v))
    return f'{where}: {box.columns[at].title} holds {shown(cells[at], 20)}, expected a number'


def to_edges(numbers: Box, form: Form) -> Box:
    """The edges (x1, y1, x2, y2) of a box."""
    a, b, c, d = numbers
    if form == 'corners':
        return numbers
    if form == 'size':
        return a, b, a + c, b + d
    return a - c / 2, b - d / 2, a + c / 2, b + d / 2


def are_relative(numbers: Sequence[Box]) -> bool:
    """Whether all numbers of all boxes lie in 0…1, with fractions: shares of the image's sides."""
    inside = all(0 <= value <= 1 for box in numbers for value in box)
    return inside and any(value % 1 for box in numbers for value in box)


def form_of(numbers: Sequence[Box], sizes_hw: Sequence[tuple[int, int] | None], what: str) -> Form:
    """Tell corners from corner and size by what fits into the images.

    Args:
        numbers: Of all boxes.
        sizes_hw: Height and width of their images, where known.
        what: File and columns, for the message.

    Raises:
        UserError: Both forms fit, or neither.
    """
    wrong = {'corners': 0, 'size': 0}
    for (a, b, c, d), size in zip(numbers, sizes_hw, strict=True):
        height, width = size or (math.inf, math.inf)
        wrong['corners'] += not (c > a and d > b and c <= width + 1 and d <= height + 1)
        wrong['size'] += not (c > 0 and d > 0 and a + c <= width + 1 and b + d <= height + 1)
    fits = {form: count <= WRONG * len(numbers) for form, count in wrong.items()}
    if fits['corners'] != fits['size']:
        return 'corners' if fits['corners'] else 'size'
    how = 'both' if fits['corners'] else 'neither'
    raise UserError(
        f'{what}: can be xmin,ymin,xmax,ymax or x,y,width,height ({how} fit the images); name the '
        'columns so in a heading line'
    )
