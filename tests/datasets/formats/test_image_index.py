"""One rule which image a name in an annotation means."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnn_mm.datasets.formats.image_index import ImageIndex, clean_name

INDEX = ImageIndex(
    ['images/cam/a.jpg', 'images/b c.png', 'train/x.jpg', 'valid/x.jpg', 'images/two.jpg',
     'images/two.png']
)  # fmt: skip


@pytest.mark.parametrize(
    ('name', 'file', 'how'),
    [
        ('images/cam/a.jpg', 'images/cam/a.jpg', ''),
        ('./images//cam/a.jpg', 'images/cam/a.jpg', ''),
        ('cam/a.jpg', 'images/cam/a.jpg', ''),
        ('a.jpg', 'images/cam/a.jpg', ''),
        (' a.jpg ', 'images/cam/a.jpg', ''),
        ('images\\cam\\a.jpg', 'images/cam/a.jpg', ''),
        ('C:\\me\\a.jpg', 'images/cam/a.jpg', 'by its base name'),
        ('/home/me/a.jpg', 'images/cam/a.jpg', 'by its base name'),
        ('http://host:80/up/a.jpg?v=1', 'images/cam/a.jpg', 'with its URL decoded'),
        ('b%20c.png', 'images/b c.png', 'with its URL decoded'),
        ('A.JPG', 'images/cam/a.jpg', 'with another case of its letters'),
        ('a', 'images/cam/a.jpg', 'without extension'),
        ('z.jpg', None, 'no such image'),
        ('b c.jpg', None, 'no such image, but one of type .png'),
        ('', None, 'no file name'),
    ],
)
def test_how_a_name_is_found(name, file, how):
    """As written below any folder, by base name, decoded, in another case, without extension."""
    assert INDEX.find(name) == (file, how)


def test_the_nearest_of_equal_names_is_meant():
    """The annotation's own folder decides; without it the name is unclear."""
    assert INDEX.find('x.jpg', near='valid').file == 'valid/x.jpg'
    assert INDEX.find('train/x.jpg', near='valid').file == 'train/x.jpg'
    assert INDEX.find('x.jpg') == (None, '2 images of this name: train/x.jpg, valid/x.jpg')


def test_a_stem_needs_one_image():
    """The name of an XML file has no extension: two images with it are unclear."""
    assert INDEX.find('cam/a', stem=True).file == 'images/cam/a.jpg'
    assert INDEX.find('two', stem=True).file is None
    assert INDEX.find('two.png').file == 'images/two.png'


@given(st.text())
def test_any_text_is_a_name(name):
    """Any name finds an image of the index or says why not; nothing outside is ever found."""
    match = INDEX.find(name)
    assert match.file in INDEX.images if match.file else match.how
    assert not clean_name(name).startswith('/')


def test_accents_in_another_form():
    """macOS and zip files of it write 'é' as two characters; the names are the same."""
    for one, other in (('NFC', 'NFD'), ('NFD', 'NFC')):
        file = f'images/{normalize(one, "Bébé 1")}.jpg'
        name = normalize(other, 'Bébé 1')
        index = ImageIndex([file, 'images/Bebe 1.jpg'])
        assert index.find(f'{name}.jpg') == (file, 'with its accents in another form')
        assert index.find(name, stem=True).file == file


def test_the_part_of_an_annotation_chooses_among_images_of_one_name():
    """1.jpg in test.csv is test/1.jpg; without a part it can be either."""
    index = ImageIndex(['train/1.jpg', 'test/1.jpg', 'test/2.jpg'])
    assert index.find('1.jpg', part='test').file == 'test/1.jpg'
    assert index.find('2.jpg', part='train').file == 'test/2.jpg'
    assert index.find('1.jpg').how.startswith('2 images of this name')
