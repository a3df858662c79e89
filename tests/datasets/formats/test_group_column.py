"""`--group COLUMN`: which images of a table belong together."""

import pytest

from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError
from tests.support.own_data import write_images, write_voc


@pytest.fixture
def table(tmp_path):
    """A function that writes labels.csv beside four images, from its rows."""
    write_images(tmp_path, 4)

    def write(*rows):
        (tmp_path / 'labels.csv').write_text('\n'.join(rows) + '\n')
        return str(tmp_path)

    return write


def groups(folder, column='Patient'):
    """Group of each image, by its file."""
    found = read_data(folder, ReadOptions(group=column))
    return {i.checked.image.file: i.checked.image.group for i in found.images}, found


def test_a_column_of_words_is_no_label(table):
    """The groups are read, the only other column of words holds the labels; '' for none."""
    found, data = groups(
        table('file,kind,patient', 'image_0.png,a,Ann', 'image_1.png,b,Ann', 'image_2.png,a,')
    )
    assert found == {'image_0.png': 'Ann', 'image_1.png': 'Ann', 'image_2.png': ''}
    assert data.classes == ['a', 'b'] and 'groups in column "patient"' in data.description


def test_what_cannot_be_a_group_is_refused(table, tmp_path):
    """No such column, an image in two groups, a format without columns: one line each."""
    folder = table('file,label,patient', 'image_0.png,a,1', 'image_0.png,a,2')
    with pytest.raises(UserError, match=r'line 3: .*image_0.png.* is in the groups .*leave it in'):
        groups(folder)
    with pytest.raises(
        UserError, match=r'no column "doctor" for tcnn fit --group; its columns are "file"'
    ):
        groups(folder, 'doctor')
    voc = write_voc(tmp_path / 'voc')
    with pytest.raises(UserError, match='nothing of the format table'):
        groups(str(voc))
    with pytest.raises(UserError, match=r'names a column of a CSV, not of voc'):
        read_data(str(voc), ReadOptions(format='voc', group='x'))
