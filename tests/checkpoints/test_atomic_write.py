"""Files are complete or absent."""

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
