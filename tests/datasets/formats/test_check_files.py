"""Every image is decoded where that is asked for: damage is counted, duplicates are said."""

import shutil

import pytest
from PIL import Image

from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError
from tests.support.exports import draw, roboflow_voc

DECODE = ReadOptions(decode=True)


def test_a_truncated_image_is_a_loss(tmp_path):
    """Its header can be read: only decoding finds it."""
    roboflow_voc(tmp_path)
    path = tmp_path / 'train/photo 1.jpg'
    path.write_bytes(path.read_bytes()[:-200])
    assert len(read_data(str(tmp_path)).images) == 8
    with pytest.raises(UserError, match='1 of 8 annotated images.*damaged.*train/photo 1.jpg'):
        read_data(str(tmp_path), DECODE)


def test_duplicates_are_notes(tmp_path):
    """A copy in another part, a re-encoded copy in the same part, and nothing else."""
    for name in ('train/cat/1.jpg', 'train/cat/2.jpg', 'train/dog/3.jpg', 'test/cat/5.jpg',
                 'test/dog/6.jpg'):  # fmt: skip
        draw(tmp_path / name)
    assert read_data(str(tmp_path), DECODE).account.notes[1:] == []
    shutil.copy(tmp_path / 'train/cat/1.jpg', tmp_path / 'test/cat/4.jpg')
    Image.open(tmp_path / 'train/dog/3.jpg').save(tmp_path / 'train/dog/7.png')
    notes = read_data(str(tmp_path), DECODE).account.notes
    assert [note for note in notes if 'duplicates' in note] == [
        '2 images in 1 groups of duplicates shared by test and train (1 exact; '
        'test/cat/4.jpg = train/cat/1.jpg)',
        '2 images in 1 groups of duplicates within train (1 nearly; '
        'train/dog/3.jpg = train/dog/7.png)',
    ]
