"""A folder that no format fits: one line says what it looks like and what to do."""

import json

import pytest

from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.foreign import recognise_foreign
from tcnn_mm.datasets.formats.read_data import read_data
from tcnn_mm.errors import UserError
from tests.support.exports import draw, write

LABELME = dict(version='5', shapes=[dict(label='cat', points=[[1, 2], [3, 4]])], imagePath='a.jpg')
VIA = {'a.jpg123': dict(filename='a.jpg', size=123, regions=[], file_attributes={})}
SUPERVISELY = dict(description='', tags=[], size=dict(height=4, width=4), objects=[])
CREATEML = [dict(image='a.jpg', annotations=[])]
STUDIO = [dict(id=1, image='/data/a.jpg', label=[], annotation_id=3)]


@pytest.mark.parametrize(
    ('content', 'tool'),
    [(LABELME, 'LabelMe'), (VIA, 'VIA'), (SUPERVISELY, 'Supervisely'), (CREATEML, 'CreateML'),
     (STUDIO, 'Label Studio'), (dict(images=[]), 'COCO without'),
     (dict(asset={}, regions=[]), 'VoTT'), (dict(item={}, annotations=[]), 'V7 Darwin'),
     (dict(items=[], categories={}), 'Datumaro'), ([dict(data_row={})], 'Labelbox'),
     ([dict(name='a.jpg', labels=[dict()])], 'BDD100K'),
     (dict(imgHeight=4, objects=[]), 'Cityscapes')],
)  # fmt: skip
def test_json_files_of_tools(tmp_path, content, tool):
    """The tool and the export to ask it for are named, in one line with the file."""
    draw(tmp_path / 'a.jpg')
    write(tmp_path / 'ann/a.json', json.dumps(content))
    with pytest.raises(UserError, match=f'ann/a.json is of .*{tool}.*export it as COCO') as caught:
        read_data(str(tmp_path))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('file', 'said'),
    [('set.zip', 'unpack it first'), ('film.mp4', 'extract its frames'),
     ('masks/a.jpg', 'masks/ has masks'), ('Annotations/a.jpg', 'Annotations/ has images'),
     ('a.tfrecord', 'a.tfrecord is a table of a type'), ('a.record-00000-of-00010', 'COCO'),
     ('a.parquet', 'write a CSV'), ('metadata.jsonl', 'write a CSV'), ('scan.dcm', 'convert'),
     ('a.heic', 'convert the images to JPEG'), ('train.npz', 'holds arrays'),
     ('train-images-idx3-ubyte', 'holds arrays'), ('a.jpg', 'one folder per class')],
)  # fmt: skip
def test_other_files(tmp_path, file, said):
    """Archives, videos and tables that are not read, and images alone."""
    draw(tmp_path / 'b.jpg') if '/' in file else None
    draw(tmp_path / file) if file.endswith('jpg') else (tmp_path / file).touch()
    assert said in recognise_foreign(scan_folder(str(tmp_path)))


@pytest.mark.parametrize(
    'line', ['Car 0.00 0 1.85 387.63 181.54 423.81 203.12', 'cat 0.5 0.5 0.2 0.2', 'a cat']
)
def test_texts_of_another_form(tmp_path, line):
    """KITTI, class names in place of numbers, captions: the line and what YOLO has."""
    draw(tmp_path / 'images/a.jpg')
    write(tmp_path / 'labels/a.txt', f'{line}\n')
    with pytest.raises(UserError, match=f"labels/a.txt begins with '{line}', which is no line of"):
        read_data(str(tmp_path))


@pytest.mark.parametrize(
    ('line', 'said'),
    [('a b.jpg 1,2,30,40,0 5,6,20,30,1', 'lists images with boxes.*CSV of file,xmin'),
     ('images/a.jpg 3', 'lists images with labels: write it as a CSV of file,label'),
     ('a.jpg,cat', 'a CSV of file,label')],
)  # fmt: skip
def test_text_files_that_list_images(tmp_path, line, said):
    """keras-yolo3's boxes and Caffe's labels: the columns to write."""
    draw(tmp_path / 'train/a b.jpg')
    write(tmp_path / 'train/_annotations.txt', f'{line}\n')
    with pytest.raises(UserError, match=f'train/_annotations.txt .*{said}'):
        read_data(str(tmp_path))


def test_labels_without_images(tmp_path):
    """Text files of YOLO whose images are not there."""
    write(tmp_path / 'a.txt', '0 0.5 0.5 0.1 0.1\n')
    assert 'a.txt is of YOLO, without images' in recognise_foreign(scan_folder(str(tmp_path)))


def test_nothing_known(tmp_path):
    """Broken JSON and texts look like nothing."""
    write(tmp_path / 'a.json', '{')
    write(tmp_path / 'a.txt', 'x')
    assert recognise_foreign(scan_folder(str(tmp_path))) is None


@pytest.mark.parametrize(
    ('file', 'text', 'said'),
    [
        ('data/a.csv', 'id,label\n1.0,cat\n', 'a.csv names none of the images'),
        ('data/a.json', '{"x": 1}', 'a.json is JSON of a form that is not known'),
        (
            'Annotations/1.xml',
            '<annotation/>',
            'Annotations/ is beside them: give the folder above',
        ),
    ],
)
def test_annotations_that_do_not_fit_are_named(tmp_path, file, text, said):
    """Not only that there are none: which file was seen, and why it is none of the images'."""
    draw(tmp_path / 'data/0001.jpg')
    write(tmp_path / file, text)
    with pytest.raises(UserError, match=said):
        read_data(str(tmp_path / 'data'))
