"""One line of YOLO: what it means, what is refused and how."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.formats.yolo_lines import looks_like_labels, parse_line
from tcnn_mm.errors import UserError


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('0 0.5 0.5 0.25 0.5', (0, (0.375, 0.25, 0.625, 0.75))),
        ('  12\t.5 0.5 2.5e-1 5E-1  ', (12, (0.375, 0.25, 0.625, 0.75))),
        ('1.0 0.5 0.5 0.25 0.5', (1, (0.375, 0.25, 0.625, 0.75))),
        ('1 0.1 0.2 0.6 0.2 0.3 0.9', (1, (0.1, 0.2, 0.6, 0.9))),
        ('1 0.3 0.1 0.5 0.3 0.3 0.5 0.1 0.3', (1, (0.1, 0.1, 0.5, 0.5))),
        ('0 1 1 0 0', (0, (1, 1, 1, 1))),
    ],
)
def test_boxes_and_polygons(line, expected):
    """Centre and size; corners of a polygon or rotated box; blanks, exponents, a float class."""
    assert parse_line(line, 'a.txt, line 1') == expected


@pytest.mark.parametrize('points', ['0.1 0.2 2 0.3 0.4 0', '0.1 0.2 0.3 0.4'])
def test_key_points_are_passed_over(points):
    """Of a pose only the box counts, with and without visibility per point."""
    line = f'0 0.5 0.5 0.25 0.5 {points}'
    assert parse_line(line, '', pose=True) == (0, (0.375, 0.25, 0.625, 0.75))


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('0 50 50 20 20', 'in pixels; expected "class x y width height"'),
        ('0 0.5 0.5 0.2 0.2 0.9', 'confidence at its end'),
        ('0 0.5 0.5 0.2 0.2 0.9 0.1 0.3', '7 numbers.*kpt_shape'),
        ('cat 0.5 0.5 0.2 0.2', 'class as a number'),
        ('0.5 0.5 0.5 0.2 0.2', 'class as a number'),
        ('-1 0.5 0.5 0.2 0.2', 'class as a number'),
        ('0 0.5 0.5 0.2', 'expected "class x y'),
        ('0,0.5,0.5,0.2,0.2', 'expected "class x y'),
        ('0 0.5 0.5 0.2 1.2.3', 'expected "class x y'),
        ('0 0.5 0.5 0.2 nan', 'expected "class x y'),
        (f'{"9" * 5000} 0.5 0.5 0.2 0.2', 'expected "class x y'),
    ],
)
def test_what_is_no_object_is_refused(line, message):
    """One line with the place, what was found and the form that is expected."""
    with pytest.raises(UserError, match=f'a.txt, line 3: .*{message}') as caught:
        parse_line(line, 'a.txt, line 3')
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 300


@settings(max_examples=200)
@given(
    st.text(max_size=60)
    | st.lists(st.floats(-3, 3), max_size=9).map(
        lambda values: ' '.join(['0', *(f'{value:.6f}' for value in values)])
    )
    | st.lists(st.sampled_from(['0', '1', '.5', '-.5', '1e-3', '.', '+', 'x']), max_size=9).map(
        ' '.join
    )
)
def test_any_line(line):
    """Any text is a box in order of its corners, up to a negative size, or refused in one line."""
    try:
        label, box = parse_line(line, 'place')
    except UserError as error:
        assert '\n' not in str(error) and str(error).startswith('place: ')
    else:
        assert label >= 0 and all(-4 <= value <= 4 for value in box)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 99), *[st.floats(0.001, 0.999)] * 4), min_size=1, max_size=5),
    st.sampled_from(['\n', '\r\n']),
    st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16']),
)
def test_written_boxes_come_back(tmp_path, objects, end, encoding):
    """What a tool writes with six decimals is found and read to a millionth."""
    rows = [f'{k} ' + ' '.join(f'{value:.6f}' for value in box) for k, *box in objects]
    (tmp_path / 'a.txt').write_text(end.join(rows) + end, encoding=encoding, newline='')
    assert looks_like_labels(tmp_path / 'a.txt')
    for row, (label, x, y, width, height) in zip(rows, objects, strict=True):
        expected = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        found = parse_line(row, '')
        assert found[0] == label and found[1] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [('', None), (' \n', None), ('a story\n', False), ('1 2\n', False), ('names: [a]\n', False),
     ('0 .5 .5 .1 .1\nx\n', True), ('0 .5 .5 .1 .1\n' * 500, True)],
)  # fmt: skip
def test_what_looks_like_labels(tmp_path, text, expected):
    """Lines of numbers; an empty file can be one, which is None."""
    (tmp_path / 'a.txt').write_text(text)
    assert looks_like_labels(tmp_path / 'a.txt') is expected
