"""Lists of image ids: what is read, what is refused, and how they restrict a data set."""

import pytest

from tcnn_mm.datasets.formats.id_list import read_ids, restrict_ids, write_ids
from tcnn_mm.errors import UserError


def write(folder, text):
    (folder / 'ids.txt').write_bytes(text.encode())
    return str(folder / 'ids.txt')


@pytest.mark.parametrize('text', ['b\n\n a \n', 'b\r\na', '\ufeffb\na\t\n'])
def test_blanks_line_ends_and_a_byte_order_mark_are_no_part_of_an_id(tmp_path, text):
    """The order of the list stays."""
    assert read_ids(write(tmp_path, text)) == ['b', 'a']


def test_ids_with_blanks_inside_are_ids(tmp_path):
    """File names such as `my cat.jpg` are ids; a line of a class file is not."""
    for ids in (['my cat.jpg'], ['photo 0', 'photo 1']):
        assert read_ids(write(tmp_path, '\n'.join(ids))) == ids
    with pytest.raises(UserError, match='"a -1" is a line of a class file'):
        read_ids(write(tmp_path, 'a -1\n'))


@pytest.mark.parametrize(
    'text, message', [('', 'no id in this list'), ('a\nb\na\n', r'duplicate id a \(1 such ids\)')]
)
def test_what_is_wrong_is_one_line_with_the_file(tmp_path, text, message):
    """An empty list, a duplicate, a list that is missing."""
    path = write(tmp_path, text)
    with pytest.raises(UserError, match=f'{path}: {message}'):
        read_ids(path)
    with pytest.raises(UserError, match='gone.txt: no such list'):
        read_ids(str(tmp_path / 'gone.txt'))


def test_a_list_restricts_in_the_data_sets_order(tmp_path):
    """The data set's order stays; an id that it does not have is an error; None keeps all."""
    path = write(tmp_path, 'b\nd\n')
    assert restrict_ids('dcba', path, 'train.txt') == ['d', 'b']
    assert restrict_ids('dcba', None, 'train.txt') == ['d', 'c', 'b', 'a']
    with pytest.raises(UserError, match=r'id b is not in train.txt \(1 such ids\)'):
        restrict_ids('dca', path, 'train.txt')


def test_ids_that_are_not_utf8_find_their_files(tmp_path):
    """Bytes of a list are those of the file names: E9 stays E9, there and back."""
    ids = ['caf\udce9', 'ünï']
    write_ids(str(tmp_path / 'ids.txt'), ids)
    assert (tmp_path / 'ids.txt').read_bytes() == b'caf\xe9\n' + 'ünï\n'.encode()
    assert read_ids(str(tmp_path / 'ids.txt')) == ids


def test_a_list_names_files_or_their_ids(tmp_path):
    """A list of printable ids, as `fit` writes it, restricts the names they are made from."""
    names = ['caf\udce9.jpg', 'a.jpg', 'b.jpg']
    for listed in (['caf\udce9.jpg', 'a.jpg'], [r'caf\xe9.jpg', 'a.jpg']):
        write_ids(str(tmp_path / 'ids.txt'), listed)
        assert restrict_ids(names, str(tmp_path / 'ids.txt'), 'x') == names[:2]
    write_ids(str(tmp_path / 'ids.txt'), ['\udce8.jpg'])
    with pytest.raises(UserError, match=r'id \\xe8.jpg is not in x') as error:
        restrict_ids(names, str(tmp_path / 'ids.txt'), 'x')
    assert str(error.value).isprintable()


def test_utf16_is_refused(tmp_path):
    """One line that says what to save it as."""
    (tmp_path / 'ids.txt').write_bytes('a\nb\n'.encode('utf-16'))
    with pytest.raises(UserError, match='this is UTF-16, expected UTF-8; convert it'):
        read_ids(str(tmp_path / 'ids.txt'))
