"""What `tcnn weights` prints: a table of weights, and all that is known of one file."""

from fnmatch import fnmatchcase

from tcnn_mm.errors import UserError
from tcnn_mm.models.backbones.weight_files import WeightFile
from tcnn_mm.models.backbones.zoo import BACKBONES, library_names, torchvision_names, weight_file

HEAD = ('name', 'licence', 'MB', 'top1', 'file')


def listed_names(pattern: str | None) -> list[str]:
    """Names of backbones, those with a config of ours first.

    Args:
        pattern: Of names, with `*` and `?`; `timm:…` for those of timm and `mmpretrain:…` for
            mmpretrain's, which None leaves out.

    Raises:
        UserError: No name matches.
    """
    names = list(dict.fromkeys([*BACKBONES, *torchvision_names()]))
    if pattern is None:
        return names
    found = [name for name in names if fnmatchcase(name, pattern)]
    found += [name for name in library_names() if fnmatchcase(name, pattern)]
    if not found:
        raise UserError(
            f"{pattern}: no such backbone; timm's have `timm:` before their names, mmpretrain's "
            '`mmpretrain:`'
        )
    return found


def table_lines(pattern: str | None = None) -> list[str]:
    """A line per backbone: name, licence, megabytes, accuracy, and the file or how to get it."""
    rows = [HEAD, *(_row(weight_file(name, pixels=False)) for name in listed_names(pattern))]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEAD) - 1)]
    return [
        '  '.join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


def _row(file: WeightFile) -> tuple[str, ...]:
    size, top1 = (
        '-' if value is None else format(value, digits)
        for value, digits in ((file.size, '.0f'), (file.top1, '.1f'))
    )
    absent = 'tcnn weights get' if file.published else "pip install 'tcnn_mm[weights]'"
    return file.name, file.licence, size, top1, file.path or f'({absent})'


def what_is_known(file: WeightFile) -> list[str]:
    """A line per fact of a weight file: where it is, what it expects, licence, hash, accuracy."""
    pixels = file.pixels or {}
    facts = {
        'file': file.path or 'not found',
        'looked for': ' or '.join(file.wanted),
        'in': file.folder,
        'published': file.published.url if file.published else '',
        'sha256': file.sha256,
        'licence': file.licence,
        'megabytes': '' if file.size is None else f'{file.size:.1f}',
        'ImageNet top-1': '' if file.top1 is None else f'{file.top1:.1f} %',
        'pixels': ', '.join(f'{key} {value}' for key, value in pixels.items()),
        'note': file.notes,
    }
    return [f'{key}: {value}' for key, value in facts.items() if value]
