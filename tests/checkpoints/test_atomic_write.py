"""Files are complete or absent."""

import errno

import pytest

from tcnn_mm.checkpoints.atomic_write import atomic_path, atomic_write


@pytest.mark.parametrize('old', [None, 'old'])
def test_a_block_that_fails_leaves_what_was_there(tmp_path, old):
    """Neither half a file nor a draft stays; the older file does."""
    path = tmp_path / 'a.json'
    if old:
        path.write_text(old)
    with pytest.raises(KeyError), atomic_write(path) as file:
        file.write('half')
        raise KeyError
    left = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert left == ({path.name: old} if old else {})


def test_a_complete_draft_takes_the_place(tmp_path):
    """Also where the writer adds an ending of its own, and where it wrote nothing at all."""
    path = tmp_path / 'a.npz'
    with atomic_path(path, '.npz') as draft:
        assert not path.exists() and draft.endswith('.npz')
        with open(draft, 'w') as file:
            file.write('whole')
    assert path.read_text() == 'whole'
    with pytest.raises(FileNotFoundError), atomic_path(path):
        pass
    assert path.read_text() == 'whole'


def test_a_name_as_long_as_the_file_system_takes(tmp_path):
    """The temporary name is no longer than that of the file."""
    for name in ('a' * 251 + '.txt', 'ü' * 125 + '.txt'):
        with atomic_write(tmp_path / name) as file:
            file.write('x')
        assert (tmp_path / name).read_text() == 'x'
    assert len(list(tmp_path.iterdir())) == 2


def test_an_error_of_writing_names_the_file(tmp_path):
    """A full disk names no file, a missing folder the temporary one: the file is named."""
    for path, number in ((tmp_path / 'a', errno.ENOSPC), (tmp_path / 'no' / 'a', errno.ENOENT)):
        with pytest.raises(OSError, match=f"'{path}'$") as error, atomic_write(path):
            raise OSError(errno.ENOSPC, 'No space left on device')
        assert error.value.errno == number
