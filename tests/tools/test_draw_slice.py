"""draw_slice: a random part of a list of ids."""

import numpy as np

from tests.support.commands import run
from tests.support.voc_folder import write_voc_folder


def test_a_slice_is_a_function_of_its_seed(tmp_path):
    """The same seed draws the same ids, in the list's order; too many is an error."""
    ids = [f'{i:03d}' for i in range(50)]
    image = (np.zeros((9, 9, 3), np.uint8), [])
    write_voc_folder(tmp_path / 'V', dict.fromkeys(ids, image), dict(test=ids))
    for name, seed in (('a', 1), ('b', 1), ('c', 2)):
        done = run(
            'draw_slice.py', 'V', 'test', '--count', 20, '--seed', seed, '--out', name, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
    a, b, c = ((tmp_path / n).read_text().split() for n in 'abc')
    assert a == b != c and a == sorted(a) and len(set(a)) == 20 and set(a) <= set(ids)
    done = run('draw_slice.py', 'V', 'test', '--count', 99, '--out', 'd', cwd=tmp_path)
    assert done.returncode == 1 and '50 images' in done.stderr
