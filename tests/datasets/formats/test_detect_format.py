"""The format is a decision with evidence: one fits, or the message says how to choose."""

import pytest

from tcnn_mm.cli import reading
from tcnn_mm.datasets.formats.detect_format import FINDERS, detect_format
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.read_data import UNANNOTATED
from tcnn_mm.errors import UserError
from tests.support.own_data import write_coco, write_csv, write_folders, write_voc

WRITERS = dict(voc=write_voc, coco=write_coco, table=write_csv, folders=write_folders)


def detect(path, wanted=None):
    scan = scan_folder(str(path))
    return detect_format(scan, ImageIndex(scan.images), wanted)


@pytest.mark.parametrize('format_name', WRITERS)
def test_each_format_is_found(tmp_path, format_name):
    """Also in a folder in a folder, as archives unpack."""
    WRITERS[format_name](tmp_path / 'export' / 'data')
    assert detect(tmp_path).format == format_name
    assert detect(tmp_path / 'export/data').format == format_name


def test_formats_that_say_the_same_are_no_choice(tmp_path):
    """A CSV of the labels beside boxes with the same labels: the boxes are used, and it is said."""
    write_voc(tmp_path / 'data')
    rows = [f'image_{at}.png,{("blue", "red")[at % 2]}' for at in range(8)]
    (tmp_path / 'data/labels.csv').write_text('\n'.join(['file,label', *rows]))
    found = detect(tmp_path / 'data')
    assert found.format == 'voc' and 'the same labels: ' in found.evidence
    (tmp_path / 'data/labels.csv').write_text(
        '\n'.join(['file,label', *rows[:-1], 'image_7.png,blue'])
    )
    with pytest.raises(UserError, match='2 ways'):
        detect(tmp_path / 'data')


def test_folders_of_annotated_images_are_no_classes(tmp_path):
    """Images in a/ and b/ that a COCO file names with other classes: the file counts."""
    write_coco(tmp_path / 'data')
    for at in range(8):
        folder = tmp_path / 'data' / 'ab'[at % 2]
        folder.mkdir(exist_ok=True)
        (tmp_path / f'data/images/image_{at}.png').rename(folder / f'image_{at}.png')
    assert detect(tmp_path / 'data').format == 'coco'


def test_two_formats_are_a_choice(tmp_path):
    """VOC and COCO that differ: both are named with their --format; one may be asked for."""
    write_coco(write_voc(tmp_path / 'data'), count=6)
    with pytest.raises(UserError, match=r'2 ways.*--format voc.*--format coco') as caught:
        detect(tmp_path / 'data')
    assert '\n' not in str(caught.value)
    assert detect(tmp_path / 'data', 'coco').format == 'coco'


def test_what_is_not_there(tmp_path):
    """No format, or not the one asked for: what was found, and the known formats."""
    write_folders(tmp_path / 'data')
    with pytest.raises(UserError, match='nothing of the format voc; found 8 .png'):
        detect(tmp_path / 'data', 'voc')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='found no file; known are VOC'):
        detect(tmp_path / 'empty')


def test_the_command_line_knows_every_format():
    """`--format` and `--unannotated` offer what reading knows."""
    assert set(reading.FORMATS) == set(FINDERS) and reading.UNANNOTATED == UNANNOTATED
