"""Text files are read in UTF-8; other encodings are named."""

import pytest

from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.errors import UserError

TEXT = 'file,label\r\né.jpg,Käse\n'


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_utf8_with_and_without_a_mark_is_the_same_text(tmp_path, encoding):
    """The mark is not part of the text; line ends stay as they are."""
    (tmp_path / 'a.csv').write_bytes(TEXT.encode(encoding))
    assert read_text(str(tmp_path / 'a.csv')) == TEXT


@pytest.mark.parametrize(
    'text, encoding, said',
    [
        (TEXT, 'utf-16', 'this is UTF-16'),
        (TEXT, 'utf-16-le', 'this is UTF-16'),
        (TEXT, 'utf-16-be', 'this is UTF-16'),
        (TEXT, 'utf-32', 'this is UTF-32'),
        (TEXT, 'latin-1', 'line 2: byte 0xe9 is not UTF-8, it looks like Latin-1'),
        ('a\n“é”', 'cp1252', 'line 2: byte 0x93 is not UTF-8, it looks like Windows-1252'),
        ('a.jpg,黑狗', 'gb2312', 'line 1: byte 0xba is not UTF-8, it looks like GB18030'),
    ],
)
def test_another_encoding_is_named_in_one_line(tmp_path, text, encoding, said):
    """The error names encoding, place and the command that converts the file."""
    (tmp_path / 'a b.csv').write_bytes(text.encode(encoding))
    with pytest.raises(UserError) as caught:
        read_text(str(tmp_path / 'a b.csv'))
    message = str(caught.value)
    assert said in message and '\n' not in message
    assert message.endswith("-t UTF-8 'a b.csv' > 'a b_utf8.csv'")


@pytest.mark.parametrize('data', [b'', b'a', b'a\0b,c\n'])
def test_short_and_odd_text_is_not_taken_for_another_encoding(tmp_path, data):
    """An empty file, a single letter and a zero byte within text are text."""
    (tmp_path / 'a.csv').write_bytes(data)
    assert read_text(str(tmp_path / 'a.csv')) == data.decode()


def test_what_is_no_text_is_refused(tmp_path):
    """A binary file, a folder and a missing file end in one line."""
    (tmp_path / 'a.csv').write_bytes(b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0')
    for name, said in (('a.csv', 'not a text file'), ('gone', 'No such'), ('', 'directory')):
        with pytest.raises(UserError, match=said):
            read_text(str(tmp_path / name))
