"""Names of YOLO's classes: of data.yaml, else of a text file; what is uncertain is refused."""

import pytest

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.yolo_names import find_names
from tcnn_mm.datasets.formats.yolo_yaml import read_yaml_files
from tcnn_mm.errors import UserError
from tests.support.exports import write


def names(path, account=None):
    scan = scan_folder(str(path))
    return find_names(scan, read_yaml_files(scan), account or Account())


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('names: [cat, dog]', {0: 'cat', 1: 'dog'}),
        ('names:\n  0: cat\n  1: dog', {0: 'cat', 1: 'dog'}),
        ("names: {'0': cat, '5': big  dog}", {0: 'cat', 5: 'big dog'}),
        ('names: [no, yes, 007, null]', {0: 'no', 1: 'yes', 2: '007', 3: 'null'}),
    ],
)
def test_names_of_data_yaml(tmp_path, text, expected):
    """A list, or numbers, also with gaps; words of YAML and numbers are names as written;
    another list beside it is noted."""
    account = Account()
    write(tmp_path / 'data.yaml', text)
    write(tmp_path / 'classes.txt', 'other\n')
    assert names(tmp_path, account) == expected
    assert account.notes == ['classes.txt has other names of classes than data.yaml, which counts']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('names: cat', 'names is cat; expected a list'),
        ('names: []', 'expected a list'),
        ('names: [cat, [dog]]', 'expected a list'),
        ('names: {cat: 0}', "key 'cat', expected numbers"),
        ('names: [cat, ""]', 'expected a list'),
    ],
)
def test_other_forms_are_refused(tmp_path, text, message):
    """With the file and the form that is expected."""
    write(tmp_path / 'data.yaml', text)
    with pytest.raises(UserError, match=f'data.yaml: .*{message}'):
        names(tmp_path)


@pytest.mark.parametrize(
    'file',
    ['classes.txt', 'labels/classes.txt', 'obj.names', 'train/_darknet.labels', 'coco.names'],
)
def test_names_of_text_files(tmp_path, file):
    """One name per line; a byte order mark, line ends of Windows and empty lines at the end."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(b'\xef\xbb\xbfcat\r\nbig dog \r\n\r\n')
    write(tmp_path / 'predefined_classes.txt', 'person\ncar\n')
    assert names(tmp_path) == {0: 'cat', 1: 'big dog'}


def test_an_empty_line_between_names_is_refused(tmp_path):
    """The numbers after it are uncertain."""
    write(tmp_path / 'classes.txt', 'cat\n\ndog\n')
    with pytest.raises(UserError, match='classes.txt, line 2: empty line between names'):
        names(tmp_path)


def test_files_that_differ_are_refused(tmp_path):
    """Both files and the ways out are named."""
    write(tmp_path / 'a/classes.txt', 'cat\ndog\n')
    write(tmp_path / 'b/classes.txt', 'dog\ncat\n')
    with pytest.raises(UserError, match='a/classes.txt: other classes .*b/classes.txt.*two roots'):
        names(tmp_path)


def test_without_names(tmp_path):
    """The remedy, and a data.yaml that cannot be read; broken files of other tools do no harm."""
    write(tmp_path / 'data.yaml', 'names: [cat\n')
    with pytest.raises(
        UserError, match='without names.*data.yaml: while parsing.*classes.txt'
    ) as e:
        names(tmp_path)
    assert '\n' not in str(e.value)
    write(tmp_path / 'classes.txt', 'cat\n')
    (tmp_path / 'compose.yml').write_bytes(b'caf\xe9: {')
    assert names(tmp_path) == {0: 'cat'}
    with pytest.raises(UserError, match='data.yaml'):
        names(tmp_path / 'data.yaml')


def test_counts_and_equal_names_are_noted(tmp_path):
    """nc beside another number of names; one name of two numbers is one class."""
    account = Account()
    write(tmp_path / 'data.yaml', 'nc: 3\nnames: [cat, cat]\n')
    names(tmp_path, account)
    assert account.notes == [
        'data.yaml: nc is 3, but there are 2 names',
        "data.yaml: classes 0, 1 are all 'cat': one class",
    ]


def test_tags_of_python_make_no_objects(tmp_path):
    """YAML is read as text."""
    write(tmp_path / 'data.yaml', 'names: [!!python/object/apply:os.getcwd []]\n')
    with pytest.raises(UserError, match='expected a list'):
        names(tmp_path)
