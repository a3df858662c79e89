"""Draw `MiniVOC` into a folder of the cache, in VOC's layout, unless it is there."""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from mmengine.logging import print_log

from tcnn_mm.datasets.mini_voc import drawing
from tcnn_mm.datasets.mini_voc.shapes import SOURCE_CLASSES
from tcnn_mm.errors import UserError

# Of what is drawn. A change of it needs a new one, so that cached sets are not mistaken for it.
VERSION = 1
# One source image of validation for this many of training.
_SOURCE_TRAIN_PER_VAL = 13


def cache_folder() -> Path:
    """Folder of drawn data sets: $TCNN_CACHE, else ~/.cache/tcnn_mm."""
    return Path(os.environ.get('TCNN_CACHE') or '~/.cache/tcnn_mm').expanduser()


def prepare(task: str, data_root: str | os.PathLike | None = None, num_source: int = 13000) -> Path:
    """Draw a task unless it is there.

    The set is drawn beside its place and renamed into it: a folder of that name is complete,
    and of several processes that draw at once the first wins, with the same images.

    Args:
        task: 'target' or 'source'.
        data_root: Folder that holds the set. Defaults to the cache folder.
        num_source: Training images of the source task.

    Returns:
        The set's folder; its name holds `VERSION`.

    Raises:
        UserError: The folder cannot be written.
    """
    root = Path(data_root).expanduser() if data_root else cache_folder()
    size = f'-{num_source}' if task == 'source' else ''
    folder = root / f'minivoc-{task}{size}-v{VERSION}'
    if folder.is_dir():
        return folder
    print_log(f'MiniVOC: drawing the {task} task into {folder}', 'current')
    start = time.time()
    try:
        root.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f'.{folder.name}-', dir=root))
    except OSError as error:
        raise UserError(
            f'MiniVOC: cannot write {root} ({error.strerror}); give data_root=, or set '
            'TCNN_CACHE to a folder that can be written'
        ) from error
    try:
        (draft / 'JPEGImages').mkdir()
        (draft / 'ImageSets' / 'Main').mkdir(parents=True)
        if task == 'source':
            write_source(draft, num_source)
        else:
            write_target(draft)
        draft.chmod(0o755)  # mkdtemp gives 0700; a shared cache is read by others
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():  # not "another process was first"
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    print_log(f'MiniVOC: drawn in {time.time() - start:.1f} s', 'current')
    return folder


def write_target(folder: Path) -> None:
    """Draw the scenes into a folder in VOC's layout."""
    (folder / 'Annotations').mkdir()
    names: dict[str, list[str]] = {}
    for split in drawing.TARGET_SPLITS:
        names[split] = []
        for number, (image, objects) in enumerate(drawing.draw_split(split)):
            name = f'{split}_{number:04d}'
            image.save(folder / 'JPEGImages' / f'{name}.png')
            text = _annotation(f'{name}.png', image.size, objects)
            (folder / 'Annotations' / f'{name}.xml').write_text(text)
            names[split].append(name)
    names['trainval'] = names['train'] + names['val']
    for split, lines in names.items():
        _write_list(folder, split, lines)


def write_source(folder: Path, num_train: int) -> None:
    """Draw the signs; a list's line is `<id> <class>`, there are no boxes."""
    num_val = max(num_train // _SOURCE_TRAIN_PER_VAL, len(SOURCE_CLASSES))
    lines = []
    for index in range(num_train + num_val):
        image, label = drawing.draw_source(index)
        # Fast compression: 14,000 files, whose size matters little.
        image.save(folder / 'JPEGImages' / f'{index:05d}.png', compress_level=1)
        lines.append(f'{index:05d} {SOURCE_CLASSES[label]}')
    _write_list(folder, 'train', lines[:num_train])
    _write_list(folder, 'val', lines[num_train:])
    _write_list(folder, 'trainval', lines)


def _write_list(folder: Path, split: str, lines: Sequence[str]) -> None:
    (folder / 'ImageSets' / 'Main' / f'{split}.txt').write_text('\n'.join(lines) + '\n')


def _annotation(name: str, size: tuple[int, int], objects: Sequence[dict[str, Any]]) -> str:
    """VOC's XML of one image; its pixels count from 1 and both corners are inside."""
    width, height = size
    rows = [
        '<annotation>',
        f'  <filename>{escape(name)}</filename>',
        f'  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>',
    ]
    for item in objects:
        x1, y1, x2, y2 = item['box']
        rows.append(
            f'  <object><name>{escape(item["name"])}</name>'
            f'<truncated>{item["truncated"]:d}</truncated>'
            f'<difficult>{item["difficult"]:d}</difficult>'
            f'<bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>'
            f'<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
        )
    return '\n'.join([*rows, '</annotation>']) + '\n'
