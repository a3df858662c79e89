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
    for name in ('cat/a.png', 'cat/b.jpg', 'cat/c.png', 'dog/d.png'):
        (tmp_path / 'set' / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS).save(tmp_path / 'set' / name)
    return tmp_path / 'set'


def test_image_labels(folders, capsys):
    """One folder per class: images per class, no boxes; nothing is written into the folder."""
    before = sorted(folders.rglob('*'))
    run_command('check', folders)
    text, lines = capsys.readouterr().out, report_data(str(folders))
    assert '\n'.join(lines) in text
    assert 'image labels, no boxes' in lines[0] and lines[1] == 'images: all 4'
    assert [line.split() for line in lines[3:5]] == [['cat', '3'], ['dog', '1']]
    assert 'training will be weak' in lines[-1] and sorted(folders.rglob('*')) == before


def test_unreadable_images_are_losses(folders):
    """A truncated image is found with --decode, as by `tcnn fit`: an error, unless allowed."""
    noise = np.random.default_rng(0).integers(0, 255, PIXELS.shape, np.uint8)
    Image.fromarray(noise).save(folders / 'cat' / 'b.jpg')
    content = (folders / 'cat' / 'b.jpg').read_bytes()
    (folders / 'cat' / 'b.jpg').write_bytes(content[: len(content) // 2])
    run_command('check', folders)
    with pytest.raises(UserError, match='1 of 4 annotated images.*damaged.*b.jpg'):
        run_command('check', folders, '--decode')
    run_command('check', folders, '--decode', '--allow-missing')


def test_boxes_without_lists(tmp_path):
    """VOC annotations without ImageSets: objects and images per class, and the coverage."""
    box, other = (dict(name='key', box=(at, at, 60, 60)) for at in (1, 9))
    images = {'a': (PIXELS, [box, other]), 'b': (PIXELS, [dict(box, name='fish')])}
    write_voc_folder(tmp_path, images)
    shutil.rmtree(tmp_path / 'ImageSets')
    lines = report_data(str(tmp_path))
    assert '2 XML files in VOC format' in lines[0]
    assert [line.split() for line in lines[3:5]] == [['fish', '1', '1'], ['key', '2', '1']]
    assert any(line.startswith('coverage of 2 images') for line in lines)
    assert not any('coverage' in line for line in report_data(str(tmp_path), coverage=False))


def test_no_format(tmp_path):
    """An empty folder: the formats that are known."""
    with pytest.raises(UserError, match='known are VOC'):
        run_command('check', tmp_path)
