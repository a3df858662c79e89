"""What the check of a VOC folder finds in small folders with one fault each, and says."""

import os
import re

import pytest
from PIL import Image

from tcnn_mm.datasets.checks.find_voc import find_voc
from tcnn_mm.datasets.checks.voc_folder import check_voc_folder, outside
from tcnn_mm.datasets.checks.voc_report import voc_report
from tcnn_mm.datasets.voc import VOC_CLASSES, VOCObjects
from tcnn_mm.errors import UserError
from tests.support.action_folder import draw_persons, write_action_folder
from tests.support.commands import run
from tests.support.tool_module import run_command

DATA = os.environ.get('TCNN_DATA', '')
WIDTH, HEIGHT = 40, 30
BOX = (2, 3, 20, 25)


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path):
    """The tool makes both variables absolute; they are put back after each test."""
    monkeypatch.setenv('TCNN_DATA', str(tmp_path))
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path))


def write_xml(folder, image_id, objects, size=(WIDTH, HEIGHT)):
    text = f'<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>'
    for name, difficult, box in objects:
        corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), box, strict=True)
        text += f'<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>'
        text += ''.join(f'<{tag}>{at}</{tag}>' for tag, at in corners) + '</bndbox></object>'
    (folder / 'Annotations' / f'{image_id}.xml').write_text(text + '</annotation>')


def write_list(folder, split, ids):
    (folder / 'ImageSets' / 'Main' / f'{split}.txt').write_text('\n'.join(ids) + '\n')


@pytest.fixture
def voc(tmp_path):
    """A sound little VOC2007: a, b for training, c, d for the test."""
    folder = tmp_path / 'VOCdevkit' / 'VOC2007'
    for part in ('Annotations', 'ImageSets/Main', 'JPEGImages'):
        (folder / part).mkdir(parents=True)
    for image_id in 'abcd':
        Image.new('RGB', (WIDTH, HEIGHT)).save(folder / 'JPEGImages' / f'{image_id}.jpg')
        write_xml(folder, image_id, [('cat', 0, BOX), ('cat', 1, BOX), ('dog', 1, BOX)])
    for split, ids in {'train': 'a', 'val': 'b', 'trainval': 'ab', 'test': 'cd'}.items():
        write_list(folder, split, ids)
    (folder / 'ImageSets' / 'Main' / 'cat_train.txt').write_text('a  1\n')
    return folder


def problems(folder, year=2007, **options):
    return check_voc_folder(str(folder), year, **options).problems


def test_counts(voc):
    """Objects over all lists, each image once; images per list by the rule of the devkit."""
    found = check_voc_folder(str(voc), 2007)
    assert found.problems == []
    assert list(found.lists) == ['train', 'val', 'trainval', 'test']  # no class file
    assert found.objects == {'cat': 8, 'dog': 4}
    assert found.difficult == {'cat': 4, 'dog': 4}
    splits = {'train': 1, 'val': 1, 'trainval': 2, 'test': 2}
    assert found.images == {(split, 'cat'): n for split, n in splits.items()}


def test_a_subset_is_sound_and_told_apart(voc, capsys):
    """Fewer images than the published set: status 0, and a note for each list."""
    run_command('check')
    text = capsys.readouterr().out
    assert 'note: trainval has 2 images, the full VOC2007 5011' in text
    assert 'note: test has 2 images, the full VOC2007 4952' in text
    assert '  sound' in text and 'coverage of 1 images' in text
    assert all(name in text for name in VOC_CLASSES)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


FAULTS = {
    'absent image': (lambda f: (f / 'JPEGImages' / 'c.jpg').unlink(), r'c\.\*: no image .*test'),
    'no xml': (lambda f: (f / 'Annotations' / 'a.xml').unlink(), r'a\.xml: no annotation .*train'),
    'broken xml': (lambda f: cut(f / 'Annotations' / 'a.xml', 60), r'a\.xml: broken XML'),
    'empty box': (lambda f: write_xml(f, 'b', [('cat', 0, (9, 3, 9, 8))]), r'b\.xml: .*empty box'),
    'right of it': (
        lambda f: write_xml(f, 'b', [('cat', 0, BOX), ('dog', 0, (WIDTH + 1, 3, WIDTH + 9, 8))]),
        r'b\.xml: object 2 \(dog\): box .* wholly outside the annotated size of 40×30',
    ),
    'above it': (lambda f: write_xml(f, 'b', [('cat', 0, (3, -9, 9, 0))]), 'wholly outside'),
    'outside the image': (
        lambda f: write_xml(f, 'b', [('cat', 0, (50, 3, 60, 8))], size=(80, 60)),
        r'b\.xml: object 1 .* outside the image of 40×30',
    ),
    'no image file': (lambda f: cut(f / 'JPEGImages' / 'd.jpg', 0), r'd\.jpg: not an image'),
    'no list': (
        lambda f: (f / 'ImageSets' / 'Main' / 'test.txt').unlink(),
        r'no ImageSets/Main/test.txt: unpack VOCtest_06-Nov-2007.tar',
    ),
    'id twice': (lambda f: write_list(f, 'test', 'cdc'), 'test.txt: duplicate id c'),
    'leak': (lambda f: write_list(f, 'test', 'abcd'), 'both trainval and test, e.g. a'),
    'empty list': (lambda f: write_list(f, 'val', ''), 'val.txt: empty list'),
    'class': (lambda f: write_xml(f, 'a', [('Cat', 0, BOX)]), 'no classes of VOC: Cat'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_one_fault_is_one_problem(voc, fault):
    """Each fault is found, named with its file, and brings no second message."""
    break_it, message = FAULTS[fault]
    break_it(voc)
    found = problems(voc)
    assert len(found) == 1
    assert re.search(message, found[0])


def test_all_problems_up_to_a_cap(voc, capsys):
    """Nothing stops at the first problem; what the cap hides is counted; status 1."""
    for image_id in 'abc':
        (voc / 'JPEGImages' / f'{image_id}.jpg').unlink()
    (voc / 'Annotations' / 'd.xml').unlink()
    with pytest.raises(UserError, match='VOC2007: 4 problems'):
        run_command('check', '--max-problems', 3)
    text = capsys.readouterr().out
    assert text.count('problem: ') == 3 and '… and 1 more problems' in text
    assert text.rstrip().endswith('4 problems')


def test_decode_sees_a_truncated_image(voc):
    """An image cut in the middle has a sound header; --decode finds it."""
    path = voc / 'JPEGImages' / 'a.jpg'
    Image.effect_noise((WIDTH, HEIGHT), 90).convert('RGB').save(path)
    cut(path, path.stat().st_size // 2)
    assert problems(voc) == []
    (problem,) = problems(voc, decode=True)
    assert 'a.jpg: damaged image' in problem


def test_a_wrong_size_is_a_note(voc):
    """Annotated sizes can be wrong in good data sets; the image's own size counts."""
    write_xml(voc, 'a', [('cat', 0, BOX)], size=(HEIGHT, WIDTH))
    found = check_voc_folder(str(voc), 2007)
    assert found.problems == [] and any('a.xml: size differs' in note for note in found.notes)


def test_outside_agrees_with_the_data_set(voc):
    """A box that the tool lets pass loads, one that it reports does not."""
    for box in [(40, 30, 99, 99), (41, 1, 50, 9), (-5, -5, 1, 1), (-5, -5, 0, 9), (1, 31, 9, 40)]:
        write_xml(voc, 'a', [('cat', 0, box)])
        found = problems(voc)
        if found:
            with pytest.raises(UserError, match='wholly outside'):
                VOCObjects(str(voc), split='train')
        else:
            assert len(VOCObjects(str(voc), split='train')) == 1
        assert bool(found) == outside(box, HEIGHT, WIDTH)


def test_secret_annotations_of_2012(voc):
    """VOC2012's test images have no public annotation: a note, not a problem."""
    for image_id in 'cd':
        (voc / 'Annotations' / f'{image_id}.xml').unlink()
    found = check_voc_folder(str(voc), 2012)
    assert found.problems == []
    assert any('test: 2 images without annotation' in note for note in found.notes)
    assert len(problems(voc, 2007)) == 2


def test_lists_of_actions(voc, capsys):
    """Persons of each action list are counted; a wrong list is a problem; none is a note."""
    found = check_voc_folder(str(voc), 2012)
    assert any('ImageSets/Action: the configs of actions need it' in note for note in found.notes)
    persons = draw_persons(0, 6)
    lines = [f'{i} {n}' for i, (_, p) in persons.items() for n in range(1, len(p) + 1)]
    write_action_folder(voc, persons, dict(train=lines, test=list(persons)), class_files=False)
    found = check_voc_folder(str(voc), 2012)
    assert found.persons == dict(train=(len(lines), 6), test=(len(lines), 6))
    text = '\n'.join(voc_report(str(voc), 2012, found))
    assert f'Action/train: {len(lines)} persons of 6 images' in text
    (voc / 'ImageSets' / 'Action' / 'train.txt').write_text(f'{lines[0][:-1]}7\n')
    assert any('lists number 7' in problem for problem in problems(voc, 2012))


def test_a_set_of_your_own(voc, tmp_path, capsys):
    """Any folder in the layout, any classes, PNG too, is read as `tcnn fit` reads it."""
    own = voc.rename(tmp_path / 'cells')
    (own / 'JPEGImages' / 'a.jpg').unlink()
    Image.new('L', (WIDTH, HEIGHT)).save(own / 'JPEGImages' / 'a.PNG')
    write_xml(own, 'a', [('RBC', 0, BOX)])
    run_command('check', own)
    text = capsys.readouterr().out
    assert 'XML files in VOC format' in text and all(c in text for c in ('RBC', 'cat', 'dog'))
    found = problems(own.rename(tmp_path / 'x'), None)
    assert found == []
    (tmp_path / 'x' / 'ImageSets').rename(tmp_path / 'Lists')
    assert 'ImageSets: no such folder' in problems(tmp_path / 'x', None)[0]


def test_where_it_looks(voc, tmp_path):
    """The folder above VOCdevkit, VOCdevkit itself and VOC2007 itself all lead to the set."""
    for place in (tmp_path, tmp_path / 'VOCdevkit', voc):
        assert find_voc(str(place)) == [(str(voc), 2007)]
    with pytest.raises(UserError) as missing:
        find_voc(str(tmp_path), 2012)
    text = str(missing.value)
    assert str(tmp_path / 'VOCdevkit' / 'VOC2012') in text
    assert 'host.robots.ox.ac.uk/pascal/VOC' in text and 'VOCtrainval_11-May-2012.tar' in text
    assert '2007.tar' not in text


def test_command_line(tmp_path):
    """Run as users do, without data: status 1, the guide without a traceback."""
    done = run('tcnn', 'check', cwd=tmp_path, TCNN_DATA=str(tmp_path / 'nothing'))
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    for name in ('VOCtrainval_06-Nov-2007.tar', 'VOCtest_06-Nov-2007.tar', 'VOCdevkit/VOC<year>'):
        assert name in done.stderr


@pytest.mark.real
def test_genuine_voc():
    """Genuine images and annotations are sound."""
    if not os.path.isdir(os.path.join(DATA, 'VOCdevkit', 'VOC2007')):
        pytest.skip('needs VOC2007 below TCNN_DATA')
    ((folder, year),) = find_voc(DATA, 2007)
    assert problems(folder, year) == []
