"""A small VOC that needs no download: drawn on first use, the same on every machine."""

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from xml.sax.saxutils import escape

from mmengine.fileio import join_path, list_from_file
from mmengine.logging import print_log

from tcnn_mm.datasets.mini_voc import drawing
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS

CLASSES = {'target': drawing.TARGET_CLASSES, 'source': drawing.SOURCE_CLASSES}
# One source picture of validation for this many of training.
_SOURCE_TRAIN_PER_VAL = 13


def cache_folder():
    """Where drawn data sets live: $TCNN_CACHE, else ~/.cache/tcnn_mm."""
    return Path(os.environ.get('TCNN_CACHE') or '~/.cache/tcnn_mm').expanduser()


def _write_list(folder, split, lines):
    (folder / 'ImageSets' / 'Main' / f'{split}.txt').write_text('\n'.join(lines) + '\n')


def _annotation(name, size, objects):
    """VOC's XML of one picture; its pixels count from 1 and both corners are inside."""
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


def write_target(folder):
    """Draw the scenes into a folder in VOC's layout."""
    (folder / 'Annotations').mkdir()
    names = {}
    for split in drawing.TARGET_SPLITS:
        names[split] = []
        for number, (picture, objects) in enumerate(drawing.draw_split(split)):
            name = f'{split}_{number:04d}'
            picture.save(folder / 'JPEGImages' / f'{name}.png')
            text = _annotation(f'{name}.png', picture.size, objects)
            (folder / 'Annotations' / f'{name}.xml').write_text(text)
            names[split].append(name)
    names['trainval'] = names['train'] + names['val']
    for split, lines in names.items():
        _write_list(folder, split, lines)


def write_source(folder, num_train):
    """Draw the signs; a list's line is `<id> <class>`, there are no boxes."""
    num_val = max(num_train // _SOURCE_TRAIN_PER_VAL, len(drawing.SOURCE_CLASSES))
    lines = []
    for index in range(num_train + num_val):
        picture, label = drawing.draw_source(index)
        # Fast compression: 14,000 files, and the reader does not care.
        picture.save(folder / 'JPEGImages' / f'{index:05d}.png', compress_level=1)
        lines.append(f'{index:05d} {drawing.SOURCE_CLASSES[label]}')
    _write_list(folder, 'train', lines[:num_train])
    _write_list(folder, 'val', lines[num_train:])
    _write_list(folder, 'trainval', lines)


def prepare(task, data_root=None, num_source=13000):
    """Draw a task unless it is there.

    The set is drawn beside its place and renamed into it: a folder of that name is complete,
    and of several processes that draw at once the first wins, with the same pictures.

    Args:
        task (str): 'target' or 'source'.
        data_root (str, optional): Folder that holds the set; defaults to the cache folder.
        num_source (int): Training pictures of the source task.

    Returns:
        Path: The set; its name holds a hash of the recipe, so that a changed one is redrawn.
    """
    root = Path(data_root).expanduser() if data_root else cache_folder()
    recipe = b''.join(Path(file).read_bytes() for file in (__file__, drawing.__file__))
    size = f'-{num_source}' if task == 'source' else ''
    folder = root / f'minivoc-{task}{size}-{hashlib.sha256(recipe).hexdigest()[:8]}'
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


@DATASETS.register_module()
class MiniVOC(VOCObjects):
    """The embedded data set, with a source task and a target task that share no class.

    * `task='target'`: scenes of 160×120 or 120×160 pixels with one to four objects of six
      classes, in VOC's folder layout; splits train (60), val (60), trainval, test (120). Items
      are those of :class:`VOCObjects`.
    * `task='source'`: 64×64 pictures of one object of twelve other classes; splits train
      (13000), val (1000), trainval. Items are those of a classification data set: `img_path`
      and an int `gt_label`.

    Args:
        task (str): 'target' or 'source'. Defaults to 'target'.
        split (str): See above. Defaults to 'train'.
        data_root (str, optional): Folder in which the set is drawn at first use. Defaults to
            `$TCNN_CACHE`, else `~/.cache/tcnn_mm`.
        num_source (int): Training pictures of the source task. Defaults to 13000.
        **kwargs: pipeline, test_mode … of :class:`VOCObjects`.
    """

    def __init__(self, task='target', split='train', data_root=None, num_source=13000, **kwargs):
        if task not in CLASSES:
            raise ValueError(f'MiniVOC: task={task!r}; choose from {sorted(CLASSES)}')
        splits = ('train', 'val', 'trainval') + (('test',) if task == 'target' else ())
        if split not in splits:
            raise ValueError(f'MiniVOC: split={split!r} of the {task} task; choose from {splits}')
        self.task = task
        metainfo = dict(classes=CLASSES[task], dataset_type='MiniVOC', **kwargs.pop('metainfo', {}))
        folder = prepare(task, data_root, num_source)
        super().__init__(data_root=str(folder), split=split, metainfo=metainfo, **kwargs)

    def load_data_list(self):
        """Annotations of the target task, or one class a picture of the source task."""
        if self.task == 'target':
            return super().load_data_list()
        index = {name: label for label, name in enumerate(self.metainfo['classes'])}
        return [
            dict(
                img_path=join_path(self.data_root, self.img_dir, f'{name}.png'),
                img_id=name,
                gt_label=index[label],
            )
            for name, label in map(str.split, list_from_file(self.ann_file))
        ]
