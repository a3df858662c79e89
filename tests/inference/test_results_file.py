"""predictions.jsonl altered between two runs: refused with its line, or predicted again."""

import json

import pytest

from tcnn_mm.errors import UserError
from tcnn_mm.inference.results_file import CHECK, ResultsFile, checksum

HEAD = dict(checkpoint='a.pth', classes=['x'])


@pytest.fixture
def written(tmp_path):
    """The file with three results, and the images."""
    images = [tmp_path / f'{name}.png' for name in ('a', 'b', 'c\udce9')]
    for image in images:
        image.touch()
    (tmp_path / 'overlays').mkdir()
    (tmp_path / 'overlays' / 'a.png').touch()
    with ResultsFile(str(tmp_path / 'r.jsonl'), HEAD) as file:
        for image in images:
            overlay = dict(overlay='overlays/a.png') if image.stem == 'a' else {}
            file.append([dict(img_path=str(image), scores=dict(x=0.1 + 0.2), **overlay)])
    return tmp_path / 'r.jsonl', [str(image) for image in images]


def done(path, images):
    with ResultsFile(str(path), HEAD) as file:
        return [file.is_done(image) for image in images], [
            file.result(image) for image in images if image in file.results
        ]


def test_results_are_read_as_they_were_written(written):
    """In any order, also twice; without what is for the file alone."""
    path, images = written
    whole = done(path, images)
    assert whole[0] == [True] * 3 and set(whole[1][1]) == {'img_path', 'scores'}
    head, *lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b''.join([head, *lines[::-1], lines[1]]))
    assert done(path, images) == whole


def altered(entry, **changes):
    """A line with other values, and, where a stranger is thorough, with the right checksum."""
    entry = {**json.loads(entry), **changes}
    return json.dumps({**entry, CHECK: checksum(entry)} if 'overlay' in changes else entry)


@pytest.mark.parametrize(
    'change',
    [
        lambda line: altered(line, scores=dict(x=0.9)),
        lambda line: altered(line, labels=5),
        lambda line: altered(line, img_path='/other.png'),
        lambda line: altered(line, overlay='../../elsewhere.png'),
        lambda line: altered(line, overlay='/elsewhere.png'),
        lambda line: altered(line, overlay=5),
        lambda line: line.replace('0.3', 'NaN', 1),
        lambda line: '[' * 100_000,
        lambda line: '\0' * 9,
        lambda line: '',
    ],
)
def test_an_altered_line_is_refused(written, change):
    """Its number, and what to do; nothing is written elsewhere, no recursion."""
    path, images = written
    lines = path.read_text('utf-8', 'surrogateescape').splitlines()
    lines[1] = change(lines[1])
    path.write_text('\n'.join(lines) + '\n', 'utf-8', 'surrogateescape')
    with pytest.raises(UserError, match='r.jsonl, line 2: .*remove the line'):
        done(path, images)
    path.write_text('\n'.join([lines[0], *lines[2:]]) + '\n', 'utf-8', 'surrogateescape')
    assert done(path, images)[0] == [False, True, True]


def test_bytes_that_are_no_text(written):
    """Not UTF-8 inside a line."""
    path, images = written
    path.write_bytes(path.read_bytes().replace(b'scores', b'sc\xffores', 1))
    with pytest.raises(UserError, match='line 2'):
        done(path, images)


def test_results_of_earlier_versions_are_made_again(written):
    """Lines without a checksum."""
    path, images = written
    head, *lines = path.read_text('utf-8', 'surrogateescape').splitlines()
    entries = [{k: v for k, v in json.loads(line).items() if k != CHECK} for line in lines]
    path.write_text('\n'.join([head, *map(json.dumps, entries)]) + '\n')
    assert done(path, images)[0] == [False] * 3


def test_a_link_is_replaced_by_a_copy(written, tmp_path):
    """Of git-annex or DVC: results are read, the store stays; a link to nothing is one line."""
    path, images = written
    store = path.rename(tmp_path / 'store')
    path.symlink_to(store)
    before = store.read_bytes()
    with ResultsFile(str(path), HEAD) as file:
        assert len(file.results) == 3
        file.append([dict(img_path=images[0], scores=dict(x=0.5))])
    assert store.read_bytes() == before and not path.is_symlink()
    assert path.read_bytes().startswith(before) and path.stat().st_size > len(before)
    (tmp_path / 'new').symlink_to(tmp_path / 'none')
    with pytest.raises(UserError, match='new: a link to .*none, which is no file; remove the link'):
        ResultsFile(str(tmp_path / 'new'), HEAD)
    assert not (tmp_path / 'none').exists()
