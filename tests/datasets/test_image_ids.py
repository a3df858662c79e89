"""Ids and messages are printable whatever a file is called; ids are unique."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.image_ids import check_class_name, image_id, png_path, printable
from tcnn_mm.errors import UserError

# Any name that a file can have, many of them nearly alike.
NAMES = st.text(
    st.one_of(
        st.sampled_from('a\\x0e9u2 \n\t\x85\u2028\ufeff\udce9\ud800é'),
        st.characters(exclude_characters='\0/'),
        st.integers(0xDC80, 0xDCFF).map(chr),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    'name, expected',
    [
        ('a/im 1.jpg', 'a/im 1.jpg'),
        ('ünï 猫 🐱.png', 'ünï 猫 🐱.png'),
        ('caf\udce9.jpg', r'caf\xe9.jpg'),
        ('new\nline.jpg', r'new\x0aline.jpg'),
        ('one\u2028two.jpg', r'one\u2028two.jpg'),
        (' a.jpg', r'\x20a.jpg'),
        (r'folder\a.jpg', r'folder\a.jpg'),
        (r'caf\xe9.jpg', r'caf\\xe9.jpg'),
        ('\\\udce9.jpg', r'\\\xe9.jpg'),
    ],
)
def test_ids_of_usual_and_of_unusual_names(name, expected):
    """A usual name is its own id; escapes are those of Python's bytes."""
    assert image_id(name) == expected


@settings(max_examples=300, deadline=None)
@given(NAMES, NAMES)
def test_ids_are_text_of_one_line_and_unique(one, other):
    """Encodable, without line ends, the same with blanks stripped; equal for equal names alone."""
    for name in (one, other):
        found = image_id(name)
        assert found.encode() and len(found.splitlines()) == 1 and found.strip() == found
        assert not found.startswith('\ufeff')
        assert printable(found) == found
    assert (image_id(one) == image_id(other)) == (one == other)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400), NAMES)
def test_a_png_path_is_one_that_a_file_system_takes(text, name):
    """At most 255 bytes per name, below its folder, encodable; never given out twice."""
    taken = set()
    paths = [png_path(n, taken) for n in (text, name, text, name)]
    assert len(set(paths)) == 4
    for path in paths:
        parts = path.split('/')
        assert path.endswith('.png') and all(0 < len(p.encode()) <= 255 for p in parts)
        assert not {'', '.', '..'}.intersection(parts)


def test_png_paths_of_names():
    """Folders stay, an absolute path and `..` lead nowhere else, long names keep their start."""
    assert png_path('cam/im_1') == 'cam/im_1.png'
    assert png_path('/home/me/../im') == 'home/me/im.png'
    assert png_path('') == 'image.png'
    long = [png_path('x' * 300 + end) for end in 'ab']
    assert long[0] != long[1] and all(len(p) == 255 and p.startswith('xxxx') for p in long)


@pytest.mark.parametrize(
    'name, message',
    [
        (' ', 'without a name'),
        ('caf\udce9', r'"caf\\xe9" is not UTF-8'),
        ('a\nb', r'"a\\x0ab" has control characters'),
    ],
)
def test_class_names_that_no_table_holds(name, message):
    """One line that names the place; usual names pass."""
    with pytest.raises(UserError, match=f'^data/x: .*{message}') as error:
        check_class_name(name, 'data/x')
    assert '\n' not in str(error.value)
    check_class_name('Bébé phoque, 100% {x}', 'data/x')
