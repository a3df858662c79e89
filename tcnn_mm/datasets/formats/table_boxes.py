"""Read the rows of a table of boxes: one object per row."""

from collections.abc import Callable, Sequence

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject, Box
from tcnn_mm.datasets.formats.box_columns import are_relative, form_of, numbers_at, to_edges
from tcnn_mm.datasets.formats.table_cells import Column, class_number, is_missing, number_of
from tcnn_mm.datasets.formats.table_plan import TablePlan
from tcnn_mm.datasets.formats.table_rows import FileRow
from tcnn_mm.datasets.formats.table_text import shown
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

Size = tuple[int, int]


def read_boxes(
    rows: Sequence[FileRow],
    plan: TablePlan,
    path: str,
    account: Account,
    size_of: Callable[[str], Size | None],
) -> list[AnnotatedImage]:
    """Group the objects of a table by image.

    A row without box, class or both is an image without objects.

    Args:
        rows: Those whose images exist.
        plan: The columns.
        path: The table, for messages.
        account: Counts duplicate rows and rows without box.
        size_of: Height and width of an image, asked for where boxes can be read in two ways.

    Raises:
        UserError: Not a number, a box without class, different sizes of one image, boxes that can
            be read in two ways.
    """
    box, label = plan.boxes.box, plan.labels[0]
    assert box is not None
    images: dict[str, AnnotatedImage] = {}
    found: list[tuple[FileRow, str, Box]] = []
    seen: set[tuple[str, str, Box]] = set()
    unboxed: list[tuple[FileRow, str]] = []
    for row in rows:
        image = images.setdefault(row.file, AnnotatedImage(row.file, 'all', row.where))
        image.size_hw = _size(row, plan, image)
        numbers, cell = numbers_at(box, row.at, row.where), label.cells[row.at]
        name = '' if is_missing(cell) else class_number(cell)
        if numbers is None:
            unboxed += [(row, name)] if name else []
        elif not name:
            raise UserError(f'{row.where}: a box without a class in {label.title}; write its class')
        elif (row.file, name, numbers) in seen:
            account.repair('duplicate row', row.where)
        else:
            seen.add((row.file, name, numbers))
            found.append((row, name, numbers))
    boxes = [numbers for *_, numbers in found]
    relative = bool(boxes) and are_relative(boxes)
    form = box.form
    if form is None and boxes:
        sizes = [images[row.file].size_hw or size_of(row.file) for row, *_ in found]
        what = f'{path}: {box.columns[0].title} and the next three'
        what = what if len(box.columns) > 1 else f'{path}: {box.columns[0].title}'
        form = form_of(boxes, [(1, 1)] * len(boxes) if relative else sizes, what)
        account.note(f'{what} are read as {_WORDS[form]}: the other reading leaves the images')
    if relative:
        account.note(f'{path}: boxes are fractions of the sides of the images')
    for row, name, numbers in found:
        edges = to_edges(numbers, form or 'corners')
        images[row.file].objects.append(
            AnnotatedObject(name, edges, f'{row.where} ({printable(name)})', relative=relative)
        )
    _account_unboxed(unboxed, {name for _, name, _ in found}, account)
    return list(images.values())


_WORDS = {'corners': 'xmin,ymin,xmax,ymax', 'size': 'x,y,width,height', 'centre': 'centre and size'}


def _account_unboxed(
    rows: Sequence[tuple[FileRow, str]], classes: set[str], account: Account
) -> None:
    """Classes of rows without box: 'No finding' is no class, a known class is a lost object."""
    for row, name in rows:
        if name in classes:
            account.lose_object('no box', f'{row.where} ({printable(name)})')
        else:
            account.repair(f'{shown(name)} has no box: taken for no object', row.where)


def _size(row: FileRow, plan: TablePlan, image: AnnotatedImage) -> Size | None:
    """Height and width that a row says; the image's former rows must say the same."""
    sides = [_side(column, row) for column in (plan.boxes.height, plan.boxes.width)]
    if None in sides:
        return image.size_hw
    size = sides[0] or 0, sides[1] or 0
    if image.size_hw not in (None, size):
        height, width = image.size_hw or size
        raise UserError(
            f'{row.where}: the image has {size[1]}×{size[0]} pixels here, {width}×{height} in '
            f'{image.where.rpartition(", ")[2]}; fix one'
        )
    return size


def _side(column: Column | None, row: FileRow) -> int | None:
    """A side in pixels; None where it is not said."""
    if column is None or is_missing(column.cells[row.at]):
        return None
    value = number_of(column.cells[row.at])
    if value is None or not 0 <= value < 1e6 or value % 1:
        raise UserError(
            f'{row.where}: {column.title} holds {shown(column.cells[row.at], 20)}, expected pixels'
        )
    return int(value) or None
