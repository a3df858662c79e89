"""Decide what each column of a table is: files, labels, flags of classes, boxes, parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tcnn_mm.datasets.formats.box_columns import BoxPlan, find_boxes, find_unnamed_boxes
from tcnn_mm.datasets.formats.column_names import (
    FLAG_PARTS,
    INDEX_NAMES,
    LABEL_NAMES,
    PART_NAMES,
    SCORE_NAMES,
    VIA_COLUMNS,
)
from tcnn_mm.datasets.formats.table_cells import Column, find_column, plain_name
from tcnn_mm.datasets.formats.table_text import TABLE_FORM, shown
from tcnn_mm.errors import UserError

# A column of labels with as many rows, nearly all different, holds texts (captions, ids).
MANY_ROWS = 20
DIFFERENT = 0.9


@dataclass
class TablePlan:
    """What the columns of a table are.

    Attributes:
        file (Column): Names of images.
        labels (list[Column]): Labels; empty where `flags` are given, or the table has none.
        flags (list[Column]): One column of 0 and 1 per class.
        part (Column, optional): Names of parts, or flags (see :data:`FLAG_PARTS`).
        group (Column, optional): Names of groups, where they are asked for.
        boxes (BoxPlan): Boxes and sizes.
        via (bool): The table of VIA: regions and labels in JSON cells.
        notes (list[str]): What is not used, and what was decided.
    """

    file: Column
    labels: list[Column] = field(default_factory=list)
    flags: list[Column] = field(default_factory=list)
    part: Column | None = None
    group: Column | None = None
    boxes: BoxPlan = field(default_factory=BoxPlan)
    via: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def has_labels(self) -> bool:
        """Whether the table says what is on the images."""
        return bool(self.labels or self.flags or self.via)

    @property
    def has_boxes(self) -> bool:
        """Whether it says where on the images."""
        return self.via or self.boxes.box is not None

    def described(self) -> str:
        """The columns in words, for the evidence."""
        words = [f'files in {self.file.title}']
        if self.via:
            words.append('regions of VIA')
        elif self.flags:
            words.append(f'{len(self.flags)} columns of 0 and 1')
        if self.boxes.box and self.labels:
            words.append('boxes')
        if self.labels:
            words.append(f'labels in {", ".join(c.title for c in self.labels[:3])}')
        if self.part:
            words.append(f'parts in {self.part.title}')
        if self.group:
            words.append(f'groups in {self.group.title}')
        return ', '.join(words)


def plan_columns(
    columns: Sequence[Column], file: Column, path: str, headed: bool, group: str | None = None
) -> TablePlan:
    """Decide what each column is.

    Columns named as labels win over all others; then columns of 0 and 1 with a name each; then the
    only column of words. Numbers, names of parts and boxes never become labels.

    Args:
        columns: All columns.
        file: The one with the names of images.
        path: The table, for messages.
        headed: The table has a heading line.
        group: Heading of a column of groups.

    Raises:
        UserError: No column of this heading; scores, numbers or several readings in which the
            classes differ.
    """
    plan = TablePlan(file, group=None if group is None else find_column(columns, group, path))
    columns = [c for c in columns if c is not plan.group]
    rest = [c for c in columns if c.at != file.at and (c.values or _is_label(c))]
    if {c.heading.lower() for c in columns} >= VIA_COLUMNS:
        plan.via = True
        return plan
    for column in [c for c in rest if _is_index(c, headed)]:
        plan.notes.append(f'{path}: {column.title} counts the rows: not used')
        rest.remove(column)
    others = [c for c in rest if c.is_files]
    rest = [c for c in rest if not c.is_files]
    plan.boxes = find_boxes(rest, path) if headed else find_unnamed_boxes(rest)
    plan.part = _part_column(rest, path)
    used = plan.boxes.used | ({plan.part.at} if plan.part else set())
    rest = [c for c in rest if c.at not in used and not _is_constant_score(c, plan, path)]
    if plan.boxes.box:
        plan.labels = [_box_label(rest, path, headed)]
    elif not _labels(plan, rest, path, headed) and rest:
        plan.flags = _flags(rest, path, headed)
    for column in plan.labels:
        _check_labels(column, path, bool(plan.boxes.box))
        if column.is_numeric:
            plan.notes.append(f'{path}: the numbers of {column.title} are the classes')
    known = {c.at for c in (*plan.labels, *plan.flags)}
    unused = [c.title.removeprefix('column ') for c in [*others, *rest] if c.at not in known]
    if unused:
        more = ' …' if len(unused) > 5 else ''
        plan.notes.append(f'{path}: columns not used: {", ".join(unused[:5])}{more}')
    return plan


def is_tags(column: Column) -> bool:
    """Whether a column is called tags: it holds several labels per image."""
    return plain_name(column.heading) == 'tags'


def _is_label(column: Column) -> bool:
    return plain_name(column.heading) in LABEL_NAMES


def _is_index(column: Column, headed: bool) -> bool:
    """Whether a column is the index that pandas writes; it is first, or has such a name."""
    name = plain_name(column.heading)
    return column.is_count and (name in INDEX_NAMES if headed else column.at == 0)


def _is_constant_score(column: Column, plan: TablePlan, path: str) -> bool:
    """Whether a column of scores says 1 everywhere: such are left out; others are refused."""
    if plain_name(column.heading) not in SCORE_NAMES or not column.mostly_numbers:
        return False
    if column.values.keys() <= {'1', '1.0'}:
        plan.notes.append(f'{path}: {column.title} is 1 in all rows: not used')
        return True
    raise UserError(_numbers(column, path))


def _numbers(column: Column, path: str) -> str:
    examples = ', '.join(list(column.values)[:3])
    remedy = 'leave it out: give a table of the columns file and label'
    if column.is_class_numbers and plain_name(column.heading) not in SCORE_NAMES:
        remedy = 'if they are the classes, name it "label"; else leave it out'
    return f'{path}: {column.title} holds numbers ({examples[:60]}), not labels; {remedy}'


def _part_column(columns: Sequence[Column], path: str) -> Column | None:
    """The column of parts, by its name or by its values where other columns can be labels."""
    named = [c for c in columns if plain_name(c.heading) in PART_NAMES and not c.is_numeric]
    found = [c for c in named if any(map(_says_part, c.values))]
    found += [c for c in columns if plain_name(c.heading) in FLAG_PARTS and c.is_flags]
    if not found:
        others = [c for c in columns if not c.is_parts]
        found = [c for c in columns if c.is_parts and not _is_label(c)] if others else []
    if len(found) > 1:
        raise UserError(
            f'{path}: {found[0].title} and {found[1].title} both name parts; leave one out'
        )
    return found[0] if found else None


def _says_part(cell: str) -> bool:
    return Column(0, '', [cell], '').is_parts


def _box_label(columns: Sequence[Column], path: str, headed: bool) -> Column:
    """The column with the classes of boxes."""
    named = [c for c in columns if _is_label(c)] if headed else list(columns)
    words = [c for c in named if not c.is_numeric]
    found = words or [c for c in named if c.is_class_numbers]
    if len(found) != 1:
        what = ' and '.join(c.title for c in found[:3]) if found else 'no column'
        raise UserError(
            f'{path}: boxes, but {what} with their classes; name the column of classes "class" '
            'in the heading line, and no other so'
        )
    return found[0]


def _labels(plan: TablePlan, rest: Sequence[Column], path: str, headed: bool) -> bool:
    """Fill `plan.labels` from columns named as labels, or from columns of words."""
    named = [c for c in rest if _is_label(c)]
    words = [c for c in named if not c.is_numeric]
    if words:
        if len({plain_name(c.heading).rstrip('s') for c in words}) > 1 and not _equal(words):
            raise UserError(_several(words, path))
        plan.labels = [*words, *_continued(words, rest)]
    elif named:
        plan.labels = named
    elif not headed:
        numeric = [c for c in rest if c.is_numeric]
        if len(rest) > 1 and all(c.is_flags for c in rest):
            return False
        if numeric and not (len(rest) == 1 and rest[0].is_class_numbers):
            raise UserError(_numbers(numeric[0], path))
        plan.labels = list(rest)
    else:
        words = [c for c in rest if not (c.is_numeric or c.is_flags)]
        if len({plain_name(c.heading) for c in words if c.heading}) > 1:
            raise UserError(_several(words, path))
        if words and len(words) < len(rest):
            other = next(c for c in rest if c not in words)
            raise UserError(_numbers(other, path))
        plan.labels = words
    return bool(plan.labels)


def _continued(words: Sequence[Column], rest: Sequence[Column]) -> list[Column]:
    """Columns without heading after the last column of labels: 'file,label,,'."""
    found = [c for c in rest if not c.heading and c.at > words[-1].at and c.values]
    numeric = next((c for c in found if c.is_numeric), None)
    if numeric is not None:
        raise UserError(_numbers(numeric, numeric.path))
    return found


def _equal(columns: Sequence[Column]) -> bool:
    return all(c.cells == columns[0].cells for c in columns)


def _several(columns: Sequence[Column], path: str) -> str:
    titles = ' and '.join(shown(c.heading) for c in columns[:3])
    return (
        f'{path}: columns {titles} can all be labels; name the one with the labels "label" '
        '(label1, label2 … for several)'
    )


def _flags(rest: Sequence[Column], path: str, headed: bool) -> list[Column]:
    """The columns of 0 and 1, one per class."""
    other = next((c for c in rest if not c.is_flags), None)
    if other is not None:
        raise UserError(_numbers(other, path))
    if not headed or any(not c.heading for c in rest):
        raise UserError(
            f'{path}: columns of 0 and 1 without names; write the names of the classes in the '
            'heading line'
        )
    if len(rest) == 1:
        raise UserError(
            f'{path}: {rest[0].title} holds 0 and 1; name it "label" for the classes 0 and 1, or '
            f'write the names of the classes into a column "label"'
        )
    names = [c.heading for c in rest]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise UserError(f'{path}: two columns {shown(duplicate)}; rename one')
    return list(rest)


def _check_labels(column: Column, path: str, boxes: bool) -> None:
    """Refuse numbers, names of parts and texts in a column of labels."""
    if column.is_numeric and not column.is_class_numbers:
        raise UserError(_numbers(column, path))
    broken = next((v for v in column.values if '\n' in v or '\r' in v), None)
    if broken is not None:
        raise UserError(
            f'{path}: {column.title} holds a line break ({shown(broken)}): are quotation marks '
            'missing?'
        )
    if column.is_parts and not boxes:
        raise UserError(
            f'{path}: {column.title} holds names of parts ({", ".join(list(column.values)[:3])}), '
            f'not labels; name it "split" beside a column "label": {TABLE_FORM}'
        )
    json = next((v for v in column.values if boxes and v.startswith(('{', '['))), None)
    if json is not None:
        raise UserError(f'{path}: {column.title} holds {shown(json)}, not a class; {TABLE_FORM}')
    rows = column.values.total()
    if not boxes and rows >= MANY_ROWS and len(column.values) > DIFFERENT * rows:
        # Labels that are joined in a cell repeat, though the cells differ.
        words = [word for v in column.values for word in v.replace('|', ';').split(';')]
        if len(set(words)) > DIFFERENT * len(words):
            raise UserError(
                f'{path}: {column.title} holds {len(column.values)} different texts in {rows} '
                f'rows, not labels; {TABLE_FORM}'
            )
