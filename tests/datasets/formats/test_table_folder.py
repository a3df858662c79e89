"""Which tables of a folder are read, their parts, and what is left unused."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.table_folder import find_table
from tcnn_mm.errors import UserError

NAMES = ('disc', 'square', 'cross')


def write_images(folder, count=6, stem='im'):
    """Small images; their names below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(count):
        Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(folder / f'{stem}{at}.png')
    return [f'{stem}{at}.png' for at in range(count)]


def write_table(path, names, line='{name},{label}', heading='file,label', encoding='utf-8'):
    """One row per name."""
    lines = [line.format(name=n, label=NAMES[at % 3], at=at) for at, n in enumerate(names)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join([*([heading] if heading else []), *lines]) + '\n', encoding=encoding)


def find(path):
    scan = scan_folder(str(path))
    return find_table(scan, ImageIndex(scan.images))


def read(path):
    """The images and the account of a folder's tables."""
    account = Account()
    found = find(path).read(account)
    account.check(str(path), len(found.images), sum(len(image.objects) for image in found.images))
    return found, account


def refused(path):
    """The line that reading ends with."""
    with pytest.raises(UserError) as error:
        read(path)
    message = str(error.value)
    assert message.splitlines() == [message] and len(message) < 400
    return message


def test_a_table_beside_and_above_its_images(tmp_path):
    """Names are looked for below the folder; the evidence says what the columns are."""
    for folder in ('images', 'train', ''):
        root = tmp_path / f'at_{folder}'
        write_table(root / 'labels.csv', write_images(root / folder))
        found, account = read(root)
        wanted = [f'{folder}/im{n}.png'.lstrip('/') for n in range(6)]
        assert [image.file for image in found.images] == wanted
        assert (found.classes, found.boxes, account.lines()) == (sorted(NAMES), False, [])
    assert find(tmp_path / 'at_').evidence == (
        'labels.csv (6 rows for 6 images, heading line): files in column "file", labels in column '
        '"label"'
    )


def test_tables_that_name_no_image_are_none(tmp_path):
    """Logs, lists of classes and tables of files alone beside class folders are passed over."""
    names = [f'{c}/{n}' for c in ('disc', 'square') for n in write_images(tmp_path / c)]
    (tmp_path / 'log.csv').write_text('epoch,loss\n0,0.5\n1,0.25\n')
    (tmp_path / 'classes.csv').write_text('id,name\n0,disc\n1,square\n')
    (tmp_path / 'empty.csv').write_text('')
    (tmp_path / 'broken.csv').write_text('a,"b\n')
    assert find(tmp_path) is None
    write_table(tmp_path / 'files.csv', names, '{name}', 'file')
    assert find(tmp_path) is None


def test_parts_by_the_names_of_tables_and_folders(tmp_path):
    """train.csv and test.csv; Roboflow's table of boxes in each folder."""
    names = write_images(tmp_path / 'a')
    write_table(tmp_path / 'a/train.csv', names[:4])
    write_table(tmp_path / 'a/Test.csv', names[4:])
    found, _ = read(tmp_path / 'a')
    assert Counter(i.part for i in found.images) == dict(train=4, test=2)
    heading = 'filename,width,height,class,xmin,ymin,xmax,ymax'
    for part in ('train', 'valid', 'test'):
        # Equal names in different parts are different images.
        names = write_images(tmp_path / 'b' / part, 3)
        path = tmp_path / 'b' / part / '_annotations.csv'
        write_table(path, names, '{name},9,8,{label},1,2,7,6', heading)
    found, _ = read(tmp_path / 'b')
    assert found.boxes and Counter(i.part for i in found.images) == dict(train=3, val=3, test=3)
    assert found.images[0].size_hw == (8, 9) and found.images[0].objects[0].box == (1, 2, 7, 6)


def test_one_table_per_folder_is_one_data_set(tmp_path):
    """Folders without names of parts: their tables are joined."""
    for site in ('north', 'south'):
        write_table(tmp_path / site / 'labels.csv', write_images(tmp_path / site, 3))
    found, _ = read(tmp_path)
    assert {(i.file, i.part) for i in found.images} == {
        (f'{site}/im{n}.png', 'all') for site in ('north', 'south') for n in range(3)
    }


def test_a_column_of_parts(tmp_path):
    names = write_images(tmp_path)
    write_table(tmp_path / 'labels.csv', names, '{name},{label},Train', 'file,label,split')
    assert {i.part for i in read(tmp_path)[0].images} == {'train'}


def test_tables_without_labels_are_not_used(tmp_path):
    """The test list and the sample submission of a competition; unlisted images are counted."""
    write_table(tmp_path / 'train.csv', write_images(tmp_path / 'train'), heading='id,breed')
    test = write_images(tmp_path / 'test', 2, 'x')
    write_table(tmp_path / 'test.csv', test, '{name}', 'id')
    write_table(tmp_path / 'sample_submission.csv', test, '{name},0.5,0.5', 'id,disc,square')
    found, account = read(tmp_path)
    assert {i.part for i in found.images} == {'all'} and len(found.images) == 6
    assert len(account.unused['image not listed in train.csv']) == 2
    assert account.notes == [
        'sample_submission.csv has no labels: not used',
        'test.csv has no labels: not used',
    ]


def test_metadata_beside_the_labels_is_not_used(tmp_path):
    names = write_images(tmp_path)
    write_table(tmp_path / 'labels.csv', names)
    write_table(tmp_path / 'sizes.csv', names, '{name},{at}.5', 'file,price')
    found, account = read(tmp_path)
    assert len(found.images) == 6 and 'not used: sizes.csv: column "price"' in account.notes[0]


def test_several_tables_of_the_same_images_stop(tmp_path):
    names = write_images(tmp_path)
    for name in ('a.csv', 'b.csv'):
        write_table(tmp_path / name, names)
    assert '2 tables name its images (a.csv, b.csv); give one of the files' in refused(tmp_path)
    assert len(read(tmp_path / 'b.csv')[0].images) == 6


def test_boxes_and_labels_do_not_mix(tmp_path):
    names = write_images(tmp_path)
    write_table(tmp_path / 'train.csv', names[:4])
    heading = 'file,class,xmin,ymin,xmax,ymax'
    write_table(tmp_path / 'test.csv', names[4:], '{name},{label},1,2,3,4', heading)
    assert 'tables with boxes and tables without' in refused(tmp_path)


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-16-le', 'latin-1'])
def test_other_encodings_are_named(tmp_path, encoding):
    """A table in another encoding is found by the names of images, and refused when read."""
    names = write_images(tmp_path)
    write_table(tmp_path / 'labels.csv', names, '{name},caf\xe9', encoding=encoding)
    assert encoding[:6].upper() in refused(tmp_path).upper()


def test_a_byte_order_mark_is_no_part_of_the_heading(tmp_path):
    write_table(tmp_path / 'labels.csv', write_images(tmp_path), encoding='utf-8-sig')
    assert read(tmp_path)[0].classes == sorted(NAMES)


def test_a_given_table_that_names_no_image_says_what_it_holds(tmp_path):
    """Also where no cell ends like an image, and where the images are missing."""
    write_images(tmp_path)
    (tmp_path / 'a.csv').write_text('name,label\nfoo,disc\nbar,cross\n')
    said = refused(tmp_path / 'a.csv')
    assert said.startswith('a.csv: no column names an image; the first column holds "name", "foo"')
    assert f'looked among 6 images below {tmp_path}' in said
    write_table(tmp_path / 'a.csv', [f'gone{n}.png' for n in range(5)])
    for path in (tmp_path, tmp_path / 'a.csv'):
        assert 'none of the images of column "file" exists ("gone0.png"' in refused(path)
    (tmp_path / 'a.csv').write_text('# CSV_HEADER = metadata_id,file_list\n"1","[""im0.png""]"\n')
    assert 'an export of VIA 3' in refused(tmp_path / 'a.csv')
    (tmp_path / 'a.csv').write_text('im0.png,"a\nim1.png,b\n')
    for path in (tmp_path, tmp_path / 'a.csv'):
        assert 'quotation marks' in refused(path)


def test_a_given_table_without_labels(tmp_path):
    write_table(tmp_path / 'a.csv', write_images(tmp_path), '{name}', 'file')
    assert 'no column of labels' in refused(tmp_path / 'a.csv')
    write_table(tmp_path / 'a.csv', [f'im{n}.png' for n in range(6)], '{name},nan')
    assert 'no label in any row' in refused(tmp_path)


def test_missing_images_stop_above_the_limit(tmp_path):
    names = write_images(tmp_path)
    write_table(tmp_path / 'a.csv', [*names, 'gone.png'])
    assert '1 of 7 annotated images cannot be used: 1 × no such image' in refused(tmp_path)


def test_the_part_of_a_table_tells_images_of_one_name_apart(tmp_path):
    """train.csv and test.csv with the same file names mean the images of train/ and test/."""
    for part in ('train', 'test'):
        names = write_images(tmp_path / part)
        write_table(tmp_path / f'{part}.csv', names)
    found, account = read(tmp_path)
    assert Counter(image.file.split('/')[0] for image in found.images) == {'train': 6, 'test': 6}
    assert all(image.file.startswith(f'{image.part}/') for image in found.images)
    assert not account.lost_images


def test_a_column_of_parts_tells_images_of_one_name_apart(tmp_path):
    """The same in one table, by its column of parts."""
    names = write_images(tmp_path / 'train')
    write_images(tmp_path / 'test')
    rows = [f'{name},{label},{part}' for part in ('train', 'test')
            for name, label in zip(names, NAMES * 2, strict=True)]  # fmt: skip
    (tmp_path / 'labels.csv').write_text('\n'.join(['file,label,split', *rows]) + '\n')
    found, _ = read(tmp_path)
    assert len(found.images) == 12
    assert all(image.file.startswith(f'{image.part}/') for image in found.images)


def test_comments_above_the_heading_line(tmp_path):
    """Lines with '#' and fewer cells than the rows are no rows; VIA's '#filename' is a heading."""
    names = write_images(tmp_path)
    write_table(tmp_path / 'labels.csv', names, heading='# by me\n# 2024\nfile,label')
    found, account = read(tmp_path)
    assert len(found.images) == 6 and account.lines() == []
    write_table(tmp_path / 'labels.csv', names, heading='#filename,label')
    assert len(read(tmp_path)[0].images) == 6


def test_one_table_for_images_of_one_part(tmp_path):
    """train.csv alone, with the images of train/ and others of the same names in test/."""
    names = write_images(tmp_path / 'train')
    write_images(tmp_path / 'test')
    write_table(tmp_path / 'train.csv', names)
    found, account = read(tmp_path)
    assert [image.file for image in found.images] == [f'train/{name}' for name in names]
    assert sum(map(len, account.unused.values())) == 6
