"""Exports of labelling tools are read from their root without moving or renaming a file."""

import os.path as osp

import pytest

from tcnn_mm.datasets.formats.read_data import read_data
from tests.support.exports import BOXES, LABELS, PARTS, everything, scenes


def stem(image):
    return osp.splitext(osp.basename(image.id))[0]


def parts_of(found):
    return {stem(image): image.checked.image.part for image in found.images}


@pytest.mark.parametrize('export', BOXES)
def test_boxes_of_every_tool(tmp_path, export):
    """Every image with its classes and boxes, to a hundredth of a pixel; nothing is left out."""
    BOXES[export](tmp_path)
    found = read_data(str(tmp_path))
    assert found.boxes and set(found.classes) == {'cat', 'dog'}
    read = {
        stem(image): [
            (item.name, *(round(value, 1) for value in item.box))
            for item in image.checked.image.objects
        ]
        for image in found.images
    }
    assert read == {scene.name: scene.objects for scene in everything()}
    account = found.account
    assert not (account.lost_images or account.lost_objects or account.repairs)
    assert all(image.checked.image.annotated for image in found.images)


@pytest.mark.parametrize('export', [n for n in BOXES if n.startswith(('roboflow', 'ultra'))])
def test_parts_of_folders(tmp_path, export):
    """train/, valid/ (or val/) and test/ are the three parts."""
    BOXES[export](tmp_path)
    expected = {
        scene.name: {'valid': 'val'}.get(part, part) for part in PARTS for scene in scenes(part)
    }
    assert parts_of(read_data(str(tmp_path))) == expected


@pytest.mark.parametrize('export', LABELS)
def test_image_labels_of_every_tool(tmp_path, export):
    """Every image with its labels: all of them, or the one that the format has room for."""
    LABELS[export](tmp_path)
    found = read_data(str(tmp_path))
    assert not found.boxes and sorted(found.classes) == ['cat', 'dog']
    read = {stem(image): sorted(image.checked.image.labels) for image in found.images}
    every = export in ('roboflow_classes_csv', 'cvat_tags', 'label_studio_choices')
    assert read == {
        scene.name: sorted({item[0] for item in scene.objects[: None if every else 1]})
        for scene in everything()
    }
