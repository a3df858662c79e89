"""What `tcnn check` says of data of any layout: counts, unreadable images, coverage."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.errors import UserError
from tcnn_mm.estimator.data_report import report_data
from tests.support.tool_module import run_command
from tests.support.voc_folder import write_voc_folder

PIXELS = np.zeros((90, 120, 3), np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Four images in two folders, one per class."""
    for name in ('cat/a.png', 'cat/b.png', 'cat/c.png', 'dog/d.png'):
        (tmp_path / 'set' / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS).save(tmp_path / 'set' / name)
    return tmp_path / 'set'


def test_image_labels(folders, capsys):
    """One folder per class: images per class, no boxes; nothing is written into the folder."""
    before = sorted(folders.rglob('*'))
    run_command('check', folders)
    text, lines = capsys.readouterr().out, report_data(str(folders)).lines
    assert '\n'.join(lines) in text
    assert 'image labels, no boxes' in lines[0] and lines[1] == 'images: all 4'
    assert [line.split() for line in lines[3:5]] == [['cat', '3'], ['dog', '1']]
    assert 'training will be weak' in lines[5] and sorted(folders.rglob('*')) == before


def test_unreadable_images_are_problems(folders, capsys):
    """Truncated ones with --decode: each is listed, and the command ends in an error."""
    noise = np.random.default_rng(0).integers(0, 255, PIXELS.shape, np.uint8)
    Image.fromarray(noise).save(folders / 'cat' / 'b.png')
    content = (folders / 'cat' / 'b.png').read_bytes()
    (folders / 'cat' / 'b.png').write_bytes(content[: len(content) // 2])
    assert report_data(str(folders)).problems == []
    with pytest.raises(UserError, match='1 images cannot be read'):
        run_command('check', folders, '--decode')
    assert 'problem: ' in (out := capsys.readouterr().out) and 'b.png' in out


def test_boxes_without_lists(tmp_path):
    """VOC annotations without ImageSets: objects and images per class, and the coverage."""
    box = dict(name='key', box=(1, 1, 60, 60))
    images = {'a': (PIXELS, [box, box]), 'b': (PIXELS, [dict(box, name='fish')])}
    write_voc_folder(tmp_path, images)
    shutil.rmtree(tmp_path / 'ImageSets')
    report = report_data(str(tmp_path))
    assert report.problems == [] and 'no lists' in report.lines[0]
    assert [line.split() for line in report.lines[3:5]] == [['fish', '1', '1'], ['key', '2', '1']]
    assert any(line.startswith('coverage of all') for line in report.lines)
    assert len(report_data(str(tmp_path), coverage=False).lines) == 5


def test_no_layout(tmp_path):
    """An empty folder: the layouts that are known."""
    with pytest.raises(UserError, match='VOC format'):
        run_command('check', tmp_path)
