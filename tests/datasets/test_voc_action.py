"""VOCAction: what it reads of genuine annotations, both views, and what it refuses."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from tcnn_mm.datasets import LoadVOCObjects, PackPatchInputs, VOCAction
from tcnn_mm.datasets import voc_action as module
from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
from tcnn_mm.datasets.voc_action import ACTIONS, OTHER
from tcnn_mm.errors import UserError
from tests.support.action_folder import action_xml, draw_persons, write_action_folder

IMAGE = np.zeros((60, 80, 3), np.uint8)
# The annotation of 2012_004331 in the layout of the genuine file: tabs, no <truncated>, xmax
# before xmin, <point>.
FLAGS = ''.join(f'\t\t\t<{a}>{a == "jumping":d}</{a}>\n' for a in sorted((*ACTIONS, OTHER)))
GENUINE = f"""<annotation>
\t<filename>2012_004331.jpg</filename>
\t<folder>VOC2012</folder>
\t<object>
\t\t<name>person</name>
\t\t<actions>
{FLAGS}\t\t</actions>
\t\t<bndbox>
\t\t\t<xmax>208</xmax>
\t\t\t<xmin>102</xmin>
\t\t\t<ymax>230</ymax>
\t\t\t<ymin>25</ymin>
\t\t</bndbox>
\t\t<difficult>0</difficult>
\t\t<pose>Unspecified</pose>
\t\t<point>
\t\t\t<x>155</x>
\t\t\t<y>119</y>
\t\t</point>
\t</object>
\t<segmented>0</segmented>
\t<size>
\t\t<depth>3</depth>
\t\t<height>375</height>
\t\t<width>500</width>
\t</size>
</annotation>
"""
HORSE = dict(box=(50, 5, 70, 50), actions=None, name='horse')
JUMPS = dict(box=(2, 3, 20, 25), actions=['jumping'])
BOTH = dict(box=(30, 11, 60, 50), actions=['walking', 'phoning'])
NONE = dict(box=(1, 1, 80, 60), actions=['other'])
IMAGES = {
    'a': (IMAGE, [HORSE, JUMPS, BOTH]),
    'b': (IMAGE, [NONE]),
    'c': (IMAGE, [dict(JUMPS, box=(5, 5, 9, 9))]),
}


def folder(tmp_path, images=IMAGES, lines=('a 2', 'a 3', 'b 1', 'c 1'), **options):
    return str(write_action_folder(tmp_path, images, dict(trainval=lines), **options))


def items(*arguments, **options):
    data = VOCAction(*arguments, **options)
    return [data.get_data_info(i) for i in range(len(data))]


@pytest.fixture
def log(monkeypatch):
    """What the module prints, a list of texts."""
    said = []
    monkeypatch.setattr(module, 'print_log', lambda text, *_: said.append(text))
    return said


def test_the_genuine_format(tmp_path):
    """Flags, the box in any order of corners, and no <truncated>: as in the devkit's own files."""
    path = tmp_path / 'a.xml'
    path.write_text(GENUINE)
    parsed = parse_voc_xml(path)
    (person,) = parsed['objects']
    assert person['name'] == 'person' and person['box'] == (102, 25, 208, 230)
    assert not person['truncated'] and not person['difficult']
    assert [name for name, doing in person['actions'].items() if doing] == ['jumping']
    assert set(person['actions']) == {*ACTIONS, OTHER}
    assert (parsed['width'], parsed['height']) == (500, 375)


def test_the_drawn_files_are_of_that_format(tmp_path):
    """The helper of these tests writes the same tags in the same order."""
    tags = re.findall(r'<(\w+)>', GENUINE)
    drawn = action_xml([dict(box=(102, 25, 208, 230), actions=['jumping'])], (375, 500))
    mine = re.findall(r'<(\w+)>', drawn)
    assert [t for t in tags if t in mine] == mine


def test_a_person_in_full(tmp_path):
    """One item a person: the box as edges, the devkit's number (other objects count), labels."""
    root = folder(tmp_path)
    first, second, third, _ = items(root, test_mode=True)
    assert (first['img_id'], first['object_index']) == ('a', 2)
    assert first['input_box'].tolist() == [1, 2, 20, 25] and first['input_box'].dtype == np.float32
    assert first['gt_bboxes'].tolist() == [[1, 2, 20, 25]] and first['gt_label'] == [0]
    assert first['gt_bboxes_labels'].tolist() == [0] and first['gt_bboxes_labels'].dtype == np.int64
    assert first['gt_bboxes_difficult'].tolist() == first['gt_bboxes_truncated'].tolist() == [False]
    assert first['gt_label_difficult'] == [] and (first['height'], first['width']) == (60, 80)
    assert first['img_path'] == str(tmp_path / 'JPEGImages' / 'a.png')
    # Two actions are two objects in one place; a person who does none of them is nobody's positive.
    assert second['gt_label'] == [1, 9] and second['gt_bboxes'].tolist() == [[29, 10, 60, 50]] * 2
    assert third['gt_label'] == [] and third['gt_bboxes'].shape == (0, 4)
    assert third['input_box'].tolist() == [0, 0, 80, 60]


def test_training_leaves_out_several_and_none(tmp_path, log):
    """Persons with several actions never train; `other` does where it is a class; the log says."""
    root = folder(tmp_path)
    assert [(i['img_id'], i['object_index']) for i in items(root)] == [('a', 2), ('c', 1)]
    assert any('left out 1 persons with several actions and 1 with none' in t for t in log)
    with_other = items(root, other=True)
    assert [i['gt_label'] for i in with_other] == [[0], [10], [0]]
    data = VOCAction(root, other=True)
    assert data.metainfo['classes'] == (*ACTIONS, 'other')
    assert VOCAction(root).metainfo['classes'] == ACTIONS


def test_lists_of_images(tmp_path):
    """A list of ids alone means all persons that have <actions>, in the annotation's order."""
    root = folder(tmp_path, lines=('c', 'a'))
    keys = [(i['img_id'], i['object_index']) for i in items(root, test_mode=True)]
    assert keys == [('c', 1), ('a', 2), ('a', 3)]
    (tmp_path / 'mine.txt').write_text('a\n')
    assert {i['img_id'] for i in items(root, ids=str(tmp_path / 'mine.txt'))} == {'a'}


def test_the_image_view(tmp_path):
    """Images once each, all their persons as objects; two actions of one are two objects."""
    root = folder(tmp_path, lines=('a 2', 'b 1', 'a 3'))
    first, second = items(root, view='image')
    assert 'input_box' not in first and 'object_index' not in first
    assert first['gt_bboxes'].tolist() == [[1, 2, 20, 25], [29, 10, 60, 50], [29, 10, 60, 50]]
    assert first['gt_bboxes_labels'].tolist() == [0, 1, 9] and first['gt_label'] == [0, 1, 9]
    assert second['gt_label'] == [] and second['gt_bboxes'].shape == (0, 4)
    assert items(root, view='image', other=True)[1]['gt_label'] == [10]
    # A person whom the list leaves out is an object all the same.
    root = folder(tmp_path / 'short', lines=('a 2',))
    assert len(items(root, view='image')[0]['gt_bboxes']) == 3


def test_patches_of_two_actions_are_deleted(tmp_path):
    """By the labelling rule: two objects pass for every patch on such a person."""
    from tcnn_mm.patches import PatchGrid, PatchLabeler

    (image,) = items(folder(tmp_path, {'a': (IMAGE, [BOTH])}, ['a']), view='image')
    grid = PatchGrid(scales=(1.0, 1.6))((60, 80)).xyxy
    label, _ = PatchLabeler(num_classes=10)(
        grid, image['gt_bboxes'], image['gt_bboxes_labels'], image['gt_bboxes_difficult']
    )
    assert set(label.tolist()) == {-1, 10}


def test_a_split_whose_actions_are_secret(tmp_path):
    """annotations=False: boxes of the persons and nothing else; by image not even these."""
    persons = [dict(HORSE), dict(JUMPS, actions=None), dict(BOTH, actions=None)]
    root = folder(tmp_path, {'a': (IMAGE, persons)}, ['a'], class_files=False)
    options = dict(annotations=False, test_mode=True)
    found = items(root, **options)
    assert [i['object_index'] for i in found] == [2, 3]
    assert all(i['gt_label'] == [] and i['gt_bboxes'].shape == (0, 4) for i in found)
    assert not VOCAction(root, **options).metainfo['annotated']
    (tmp_path / 'Annotations' / 'a.xml').unlink()
    (image,) = items(root, view='image', **options)
    assert (image['height'], image['width'], image['gt_label']) == (60, 80, [])


def test_a_batch_of_persons(tmp_path):
    """Packed: input_box as a tensor, the number as metainfo, an image for each of its persons."""
    root = folder(tmp_path)
    data = VOCAction(root, test_mode=True, pipeline=[LoadVOCObjects(), PackPatchInputs()])
    samples = pseudo_collate([data[i] for i in range(len(data))])['data_samples']
    assert [(s.img_id, s.object_index) for s in samples] == [
        ('a', 2), ('a', 3), ('b', 1), ('c', 1),
    ]  # fmt: skip
    torch.testing.assert_close(samples[0].input_box, torch.tensor([1.0, 2.0, 20.0, 25.0]))
    assert 'input_box' in set(samples[0].keys()) and samples[1].gt_label.tolist() == [1, 9]


def test_boxes_fit_the_real_image(tmp_path):
    """Where the annotated size is wrong, input_box is clipped with the objects."""
    root = folder(tmp_path, {'a': (IMAGE, [JUMPS])}, ['a 1'])
    text = action_xml([dict(JUMPS, box=(2, 3, 95, 25))], (200, 300))
    (tmp_path / 'Annotations' / 'a.xml').write_text(text)
    sample = VOCAction(root, pipeline=[LoadVOCObjects(), PackPatchInputs()])[0]['data_samples']
    assert sample.input_box.tolist() == [1, 2, 80, 25] == sample.gt_bboxes[0].tolist()


def test_unknown_actions_are_told(tmp_path):
    """An action that is no class stops the start with its count; classes of your own are fine."""
    climbs = dict(JUMPS, actions=['climbing'])
    root = folder(tmp_path, {'a': (IMAGE, [climbs, JUMPS])}, ['a 1', 'a 2'], class_files=False)
    with pytest.raises(UserError, match=r'unknown classes: climbing \(1\)'):
        VOCAction(root)
    own = items(root, metainfo=dict(classes=('climbing', 'jumping')))
    assert [i['gt_label'] for i in own] == [[0], [1]]


FAULTS = {
    'class file': (['a 2 -1'], '"a 2 -1" is neither `id` nor `id objectIdx`'),
    'twice': (['a 2', 'a 2'], '"a 2": duplicate person'),
    'all and one': (['a', 'a 2'], '"a 2": duplicate person'),
    'too many': (['a 4'], r'a.xml: has 3 objects, .*trainval.txt lists number 4'),
    'zero': (['a 0'], r'a.xml: has 3 objects, .* lists number 0'),
    'no actions': (['a 1'], r'a.xml: object 1 \(horse\) has no <actions>'),
    'nobody': (['d'], r'd.xml: no object with <actions>, but .*trainval.txt lists the image'),
    'no image': (['e 1'], r'e\.\*: no image'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_fault_is_one_line_with_its_file(fault, tmp_path):
    """Each fault of list or annotation stops the start with one line that names the file."""
    lines, message = FAULTS[fault]
    images = {**IMAGES, 'd': (IMAGE, [HORSE])}
    root = folder(tmp_path, images, lines, class_files=False)
    with pytest.raises(UserError, match=message) as error:
        VOCAction(root)
    assert '\n' not in str(error.value) and str(tmp_path) in str(error.value)


def test_no_action_lists(tmp_path):
    """A VOC folder without ImageSets/Action: what is missing, where, the command that helps."""
    root = folder(tmp_path)
    (tmp_path / 'ImageSets' / 'Action' / 'trainval.txt').unlink()
    with pytest.raises(UserError, match='tcnn check') as error:
        VOCAction(root)
    assert 'Action' in str(error.value)
    with pytest.raises(ValueError, match="view='box'; choose from"):
        VOCAction(root, view='box')
    with pytest.raises(ValueError, match='allow_empty=True would change the numbers'):
        VOCAction(root, allow_empty=True)


def test_labels_are_the_class_files(tmp_path):
    """Labels made from flags equal the class files of a drawn set, all actions, each person."""
    images = draw_persons(3, 30, several=4)
    write_action_folder(tmp_path, images, dict(val=list(images)))
    derived = {
        (item['img_id'], str(item['object_index'])): item['gt_label']
        for item in items(str(tmp_path), 'val', test_mode=True)
    }
    assert len(derived) > 30 and max(map(len, derived.values())) > 1
    for label, name in enumerate(ACTIONS):
        text = (tmp_path / 'ImageSets' / 'Action' / f'{name}_val.txt').read_text()
        official = {(i, n): int(v) for i, n, v in map(str.split, text.splitlines())}
        assert official == {key: 1 if label in mine else -1 for key, mine in derived.items()}


SAMPLE = Path(os.environ.get('TCNN_DATA') or 'data') / 'voc2012_action_xml_sample'


@pytest.mark.real
@pytest.mark.skipif(not SAMPLE.is_dir(), reason=f'no {SAMPLE}: set TCNN_DATA')
def test_a_genuine_file(tmp_path):
    """The genuine 2012_004331.xml: one person who jumps, in an image of 500×375."""
    images = {'2012_004331': (np.zeros((375, 500, 3), np.uint8), [JUMPS])}
    root = folder(tmp_path, images, ['2012_004331'])
    text = (SAMPLE / '2012_004331.xml').read_text()
    (tmp_path / 'Annotations' / '2012_004331.xml').write_text(text)
    (person,) = items(root)
    assert person['input_box'].tolist() == [101, 24, 208, 230] and person['object_index'] == 1
    assert person['gt_label'] == [0] and (person['height'], person['width']) == (375, 500)
