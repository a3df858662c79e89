"""A fit given again with something else: the error names what was and what is, and what to do."""

import os
import re
import shlex
import shutil

import pytest

from tcnn_mm.datasets.formats.read_data import ReadOptions
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.begun_fit import changed_settings, moved_folder
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import write_config
from tests.support.own_data import write_voc


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A begun fit of ten images, in folders with quotes; not to be changed."""
    folder = tmp_path_factory.mktemp("it's")
    write_voc(folder / 'data', count=10)
    write_config(plan(folder))
    return folder


@pytest.fixture
def begun(source):
    """The same, to be changed: restored at the end."""
    kept = source.parent / 'kept'
    shutil.copytree(source, kept)
    yield source
    shutil.rmtree(source)
    kept.rename(source)


def plan(folder, data='data', out='out', **options):
    """Of `tcnn fit FOLDER/data --out FOLDER/out --scales 1`."""
    options = dict(dict(scales=[1.0]), **options)
    return make_plan(str(folder / data), 'minivoc', str(folder / out), **options)


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(seed=1), r'--seed \(randomness.seed\): was 0, is 1; '),
        (
            dict(scales=[1, 2]),
            r'--scales \(model.sampler.grid.scales\): was \[1.0\], is \[1.0, 2.0\]',
        ),
        (dict(reading=ReadOptions(upright=True)), r'pipeline\[0\].upright: was unset, is True'),
    ],
)
def test_other_settings_are_named(source, options, message):
    """Key or option, was and is; nothing of the fit that was begun is overwritten."""
    before = files(source / 'out')
    with pytest.raises(UserError, match=message) as refused:
        write_config(plan(source, **options))
    assert files(source / 'out') == before
    command = re.search(r'tcnn train .* --resume', str(refused.value)).group()
    assert shlex.split(command)[2] == str(source / 'out' / 'config.py')


def test_comments_are_no_settings(begun):
    """A config with a comment of the reader's is continued, and stays as it is."""
    config = begun / 'out' / 'config.py'
    config.write_text(config.read_text() + '# mine\n')
    before = files(begun / 'out')
    write_config(plan(begun))
    assert files(begun / 'out') == before


def test_a_list_changed_by_hand(begun):
    """The images of a part are those of the fit that was begun."""
    path = begun / 'out' / 'splits' / 'train.txt'
    ids = path.read_text().splitlines()
    path.write_text('\n'.join(ids[1:]) + '\n')
    with pytest.raises(UserError, match=rf'train.txt: .*1 image \({re.escape(ids[0])}\) differ'):
        write_config(plan(begun))
    assert path.read_text().splitlines() == ids[1:]


def test_a_moved_data_folder(begun):
    """From where, to where; with the link that the error names the same command goes on."""
    data = begun / 'data'
    data.rename(begun / 'new place')
    with pytest.raises(UserError, match='the 10 images of this fit were in .*/data, now') as no:
        plan(begun, 'new place')
    link = shlex.split(re.search(r'ln -s .*?(?=, and give)', str(no.value)).group())
    assert link == ['ln', '-s', str(begun / 'new place'), str(data)]
    os.symlink(*link[2:])
    write_config(plan(begun))


def test_images_that_came_and_went(begun):
    """New and lost images are told apart from edited ones."""
    for folder, suffix in (('Annotations', 'xml'), ('JPEGImages', 'png')):
        place = begun / 'data' / folder
        (place / f'image_3.{suffix}').rename(place / f'image_x.{suffix}')
    lists = begun / 'data' / 'ImageSets' / 'Main'
    for path in (begun / 'data' / 'Annotations' / 'image_x.xml', *lists.glob('*.txt')):
        path.write_text(path.read_text().replace('image_3', 'image_x'))
    with pytest.raises(UserError) as refused:
        plan(begun)
    text = str(refused.value)
    assert re.search(r'1 image \(.*image_x.png\) came; 1 image \(.*image_3.png\) went since', text)


def test_new_and_lost_classes_are_named(begun):
    """Not only that the classes changed."""
    for xml in (begun / 'data' / 'Annotations').iterdir():
        xml.write_text(xml.read_text().replace('<name>red</name>', '<name>green</name>'))
    with pytest.raises(UserError, match=r"classes changed \('green' is new; 'red' is gone\)"):
        plan(begun)


def test_settings_of_parts_and_lists():
    """Nested keys with numbers of lists; the order of options of `tcnn fit` comes first."""
    old = dict(a=[dict(b=1)], randomness=dict(seed=0), c=(1, 2), decisions=[1])
    new = dict(a=[dict(b=2, d='x')], randomness=dict(seed=3), c=[1, 2], decisions=[2])
    assert changed_settings(old, new) == [
        '--seed (randomness.seed): was 0, is 3', 'a[0].b: was 1, is 2', "a[0].d: was unset, is 'x'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    'old, new, folders',
    [
        ('/a/b/c.png', '/a/x/c.png', ('/a/b', '/a/x')),
        ('/a/b/i/c.png', '/z/b/i/c.png', ('/a', '/z')),
        ('/d/c.png', '/d/e/c.png', ('/d', '/d/e')),
    ],
)
def test_the_folder_that_was_moved(old, new, folders):
    """The paths without their common end."""
    assert moved_folder(old, new) == folders
