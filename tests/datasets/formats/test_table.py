"""Tables of labels and boxes: what each column is, and that rows read back as they were written."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.image_table import find_image_table
from tcnn_mm.datasets.formats.table import read_image_table
from tcnn_mm.errors import UserError

IMAGES = [f'im{at:02d}.jpg' for at in range(24)]
NAMES = ('disc', 'square', 'cross')


def read_images(text, images=IMAGES, size=(80, 96)):
    """The images of a table, and the account."""
    index, account = ImageIndex(images), Account()
    table = find_image_table(text, 'labels.csv', index)
    if table is None:
        raise UserError('no column of images')
    found = read_image_table(table, table.plan(), index, account, lambda _: size)
    assert len({image.file for image in found}) == len(found)
    return found, account


def read(text, images=IMAGES):
    """{file: labels, or (class, box) of its objects}, and the account."""
    found, account = read_images(text, images)
    return {
        image.file: image.labels or [(item.name, item.box) for item in image.objects]
        for image in found
    }, account


def parts(text):
    """{file: part}."""
    return {image.file: image.part for image in read_images(text)[0]}


def rows(line, heading=''):
    """A table with one line per image: `line(at, name)`."""
    lines = [line(at, name) for at, name in enumerate(IMAGES)]
    return '\n'.join([*([heading] if heading else []), *lines]) + '\n'


def labels(at):
    return NAMES[at % 3]


ONE_LABEL = {name: [labels(at)] for at, name in enumerate(IMAGES)}


@pytest.mark.parametrize(
    'text',
    [
        rows(lambda at, n: f'{n},{labels(at)}'),
        rows(lambda at, n: f'{n},{labels(at)}', 'file,label'),
        rows(lambda at, n: f'{n};{labels(at)}', 'Dateiname;Klasse'),
        rows(lambda at, n: f'{n};{labels(at)}', 'sep=;\nfile;label'),
        rows(lambda at, n: f'{n}\t{labels(at)}'),
        rows(lambda at, n: f'{n}|{labels(at)}', 'file|label'),
        rows(lambda at, n: f'{labels(at)},{n}', 'label,file'),
        rows(lambda at, n: f'{labels(at)},{n}'),
        rows(lambda at, n: f'{at},{n},{labels(at)}', ',filename,label'),
        rows(lambda at, n: f'{at},{n},{labels(at)}', 'Unnamed: 0,filename,label'),
        rows(lambda at, n: f'{n[:-4]},{labels(at)}', 'id,breed'),
        rows(lambda at, n: f'C:\\data\\{n},{labels(at)}', 'file,label'),
        rows(lambda at, n: f'"{n}", "{labels(at)}"', '"file", "label"'),
        rows(lambda at, n: f'{n},{labels(at)},{at % 3},{20 + at}', 'file,label,class_id,age'),
        rows(lambda at, n: f'{n},masks/{n}.png,{labels(at)}', 'image,mask,breed'),
        rows(lambda at, n: f'{n},{",".join(str(int(labels(at) == k)) for k in NAMES)}',
             f'file,{",".join(NAMES)}'),
        rows(lambda at, n: f'{n},{",".join(str(float(labels(at) == k)) for k in NAMES)}',
             f'file,{",".join(NAMES)}'),
    ],
)  # fmt: skip
def test_each_way_to_write_one_label_per_image_reads_the_same(text):
    """Delimiter, heading, order and further columns do not change the labels."""
    assert read(text)[0] == ONE_LABEL


@pytest.mark.parametrize(
    'text',
    [
        rows(lambda at, n: f'{n},{labels(at)},{("train", "val", "test")[at % 3]}'),
        rows(lambda at, n: f'{("TRAIN", "VALIDATION", "TEST")[at % 3]},gs://a/{n},{labels(at)}'),
        rows(lambda at, n: f'{n},{("Training", "valid", "Test")[at % 3]},{labels(at)}',
             'file,subset,breed'),
    ],
)  # fmt: skip
def test_names_of_parts_are_parts(text):
    """A column of train, val and test is no label, with and without heading."""
    assert read(text)[0] == ONE_LABEL
    assert parts(text) == {n: ('train', 'val', 'test')[at % 3] for at, n in enumerate(IMAGES)}


def test_flags_of_parts():
    """`is_valid` as fastai writes it."""
    text = rows(lambda at, n: f'{n},{labels(at)},{at < 8}', 'fname,labels,is_valid')
    assert read(text)[0] == ONE_LABEL
    assert parts(text) == {n: 'val' if at < 8 else 'train' for at, n in enumerate(IMAGES)}


TWO = {n: [labels(at)] if at % 2 else [labels(at), labels(at + 1)] for at, n in enumerate(IMAGES)}


def joined(separator):
    return rows(lambda at, n: f'{n},"{separator.join(TWO[n])}"', 'file,labels')


@pytest.mark.parametrize(
    'text',
    [
        joined('|'),
        joined(';'),
        joined(','),
        joined(' '),
        rows(lambda at, n: f'{n},"{TWO[n]}"', 'file,labels'),
        rows(lambda at, n: '\n'.join(f'{n},{label}' for label in TWO[n])),
        rows(lambda at, n: f'{n},{",".join(TWO[n])}'),
        rows(lambda at, n: f'{n};{";".join(TWO[n])}', 'file;label'),
        rows(lambda at, n: f'{n},{",".join([*TWO[n], ""][:2])}', 'file,label1,label2'),
    ],
)
def test_each_way_to_write_several_labels_reads_the_same(text):
    """Joined in a cell, as a list, in several cells, in several rows."""
    assert read(text)[0] == TWO


def test_blanks_in_names_of_classes_stay():
    """'traffic light' is one class; 'sea lion' beside 'lion' alone is, too."""
    names = ('traffic light', 'stop sign', 'sea lion', 'lion')
    found, _ = read(rows(lambda at, n: f'{n},{names[at % 4]}'))
    assert {label for mine in found.values() for label in mine} == set(names)


def test_tags_are_separated_by_blanks():
    """Tags repeat in different cells, though none is alone."""
    found, account = read(
        rows(lambda at, n: f'{n},{("haze primary", "clear primary")[at % 2]}', 'image_name,tags')
    )
    assert found[IMAGES[0]] == ['haze', 'primary']
    assert any('separated by a blank' in note for note in account.notes)


def test_missing_labels_are_no_class():
    """nan, None and empty cells of pandas: images without label, with a note and the count."""
    words = ('nan', 'None', '', '<NA>', 'NULL', 'disc')
    found, account = read(rows(lambda at, n: f'{n},{words[at % 6]}', 'file,label'))
    assert sum(map(bool, found.values())) == 4
    assert any('no label at 20 images' in note for note in account.notes)


def test_class_numbers():
    """A few whole numbers in a column called label are classes, with a note."""
    found, account = read(rows(lambda at, n: f'{n},{at % 5}.0', 'file,label'))
    assert found[IMAGES[7]] == ['2'] and 'are the classes' in account.notes[0]


BOXES = {
    name: [(labels(at + k), (50.0 - at, 2.0, 60.0 + at, 70.0 + k)) for k in range(1 + at % 2)]
    for at, name in enumerate(IMAGES)
}


def box_rows(line, heading=''):
    """A table with one line per box: `line(file, class, x1, y1, x2, y2)`."""
    lines = [line(n, c, *map(int, box)) for n, objects in BOXES.items() for c, box in objects]
    return '\n'.join([*([heading] if heading else []), *lines]) + '\n'


@pytest.mark.parametrize(
    'text',
    [
        box_rows(lambda n, c, *b: f'{n},96,80,{c},{b[0]},{b[1]},{b[2]},{b[3]}',
                 'filename,width,height,class,xmin,ymin,xmax,ymax'),
        box_rows(lambda n, c, *b: f'{n};{c};{b[0]},0;{b[1]},0;{b[2]},0;{b[3]},0',
                 'image;label;x1;y1;x2;y2'),
        box_rows(lambda n, c, x, y, r, b: f'{c},{x},{y},{r - x},{b - y},{n},96,80'),
        box_rows(lambda n, c, x, y, r, b: f'{c},{x},{y},{r - x},{b - y},{n},96,80',
                 'label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,'
                 'image_height'),
        box_rows(lambda n, c, x, y, r, b: f'{n},{x},{y},{r - x},{b - y},{c}', 'file,x,y,w,h,class'),
        box_rows(lambda n, c, x, y, r, b: f'{n},{x},{y},{r - x},{b - y},{c}',
                 'file,x,y,width,height,class'),
        box_rows(lambda n, c, x, y, r, b: f'{n},{(x + r) / 2},{(y + b) / 2},{r - x},{b - y},{c}',
                 'file,x_center,y_center,width,height,class'),
        box_rows(lambda n, c, *b: f'{n},{b[0]},{b[1]},{b[2]},{b[3]},{c}'),
        box_rows(lambda n, c, x, y, r, b: f'{n},"[{x}, {y}, {r - x}, {b - y}]",{c}',
                 'image_id,bbox,class'),
        box_rows(lambda n, c, *b: f'{n},"{b[0]} {b[1]} {b[2]} {b[3]}",{c}', 'image_id,bbox,class'),
    ],
)  # fmt: skip
def test_each_way_to_write_boxes_reads_the_same(text):
    """Corners, corner and size, centre, text; with heading and in makesense's order without."""
    assert read(text)[0] == BOXES


def test_boxes_as_fractions():
    """0…1 with fractions, as Open Images: marked as relative."""
    text = rows(lambda at, n: f'{n},{labels(at)},1,0.1,0.{at + 20},0,0.5',
                'ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax')  # fmt: skip
    found, _ = read_images(text)
    assert found[3].objects[0].relative and found[3].objects[0].box == (0.1, 0.0, 0.23, 0.5)


def test_rows_without_box_are_negatives():
    """Empty cells, and classes that never have a box ('No finding')."""
    text = rows(
        lambda at, n: f'{n},No finding,,,,' if at % 4 else f'{n},disc,1,2,30,40',
        'image_id,class_name,x_min,y_min,x_max,y_max',
    )
    found, account = read(text)
    assert sum(map(bool, found.values())) == 6 and len(found) == 24
    assert '"No finding" has no box: taken for no object' in account.repairs


def test_rectangles_of_via():
    """Their class is the attribute; a polygon is the box around it, a point is counted as lost."""
    via = (
        'filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,'
        'region_attributes\n'
    )
    shape = '{""name"":""rect"",""x"":5,""y"":6,""width"":10,""height"":20}'
    polygon = '{""name"":""polygon"",""all_points_x"":[1,9,4],""all_points_y"":[2,3,8]}'
    circle = '{""name"":""circle"",""cx"":10,""cy"":12,""r"":4.5}'
    point = '{""name"":""point"",""cx"":1,""cy"":2}'
    via += f'im00.jpg,9,"{{}}",2,0,"{shape}","{{""class"":""disc""}}"\n'
    for at, other in enumerate((polygon, circle, point), 1):
        via += f'im00.jpg,9,"{{}}",2,{at},"{other}","{{""class"":""disc""}}"\n'
    via += 'im01.jpg,9,"{}",0,0,"{}","{}"\n'
    found, account = read(via)
    boxes = [(5.0, 6.0, 15.0, 26.0), (1.0, 2.0, 9.0, 8.0), (5.5, 7.5, 14.5, 16.5)]
    assert found == {'im00.jpg': [('disc', box) for box in boxes], 'im01.jpg': []}
    assert len(account.lost_objects['region of VIA is a point, which has no box']) == 1


@pytest.mark.parametrize(
    'text, said',
    [
        (rows(lambda at, n: f'{n},disc,0.{at + 10}', 'file,label,score'), 'column "score" holds'),
        (rows(lambda at, n: f'{n},disc,0.{at + 10}'), 'column 3 holds numbers'),
        (rows(lambda at, n: f'{n},{at * 7 % 23}', 'file,label'), 'column "label" holds numbers'),
        (rows(lambda at, n: f'{n},{at % 2}', 'file,has_disc'), 'name it "label" for the classes'),
        (rows(lambda at, n: f'{n},{at % 2},{at % 3 // 2}'), 'without names'),
        (rows(lambda at, n: f'{n},{("train", "test")[at % 2]}'), 'names of parts'),
        (rows(lambda at, n: f'{n},a,{("x", "y")[at % 2]}', 'file,color,shape'),
         'can all be labels'),
        (rows(lambda at, n: f'{n},a photo of {at}', 'image,caption'), '24 different texts'),
        (rows(lambda at, n: f'{n},"{{""a"": {at % 2}}}"', 'file,label'), 'not a label'),
        (rows(lambda at, n: f'{n},{("dog", "hot dog", "cat", "cat dog")[at % 4]}'),
         'can be one label'),
        (rows(lambda at, n: f'{n},1,2,30', 'file,xmin,ymin,xmax'), 'a part of a box'),
        (rows(lambda at, n: f'{n},1,2,30,40', 'file,xmin,ymin,xmax,ymax'), 'with their classes'),
        (rows(lambda at, n: f'{n},a,1,2,x{at},40', 'file,class,xmin,ymin,xmax,ymax'),
         'part of a box'),
        (rows(lambda at, n: f'{n},a,1,2,{30 if at else "x"},40', 'file,class,xmin,ymin,xmax,ymax'),
         'line 2: column "xmax" holds "x", expected a number'),
        (rows(lambda at, n: f'{n},1,2,3,4,disc'),
         'can be xmin,ymin,xmax,ymax or x,y,width,height'),
        ('im00.jpg,a\nim01.jpg,b\nim00.jpg,b\n', 'line 3: duplicate file im00.jpg'),
        ('im00.jpg,a\n./im00.jpg,a\n', 'line 2: duplicate file "./im00.jpg"'),
        ('im00.jpg,a\n,b\n', 'line 2: no file name'),
        ('im00.jpg,"a\nim01.jpg,b\n', 'line 1: unexpected end of data'),
        ('im00.jpg,"a\nb"\n', 'a line break'),
        ('im00.jpg,a\0\n', 'line 1: a zero byte'),
        ('file,label,split\nim00.jpg,a,train\nim01.jpg,a,other\n',
         'line 3: column "split" holds "other"'),
        ('file,label,split\nim00.jpg,a,train\nim00.jpg,a,test\n', 'is in train and in test'),
        ('image,mask,label\nim00.jpg,im01.jpg,a\n', None),
        ('a,b,label\nim00.jpg,im01.jpg,a\n', 'name different images'),
    ],
)  # fmt: skip
def test_what_has_no_or_two_readings_is_one_line(text, said):
    """Numbers, parts, texts and JSON never become classes; the line says how to write it."""
    if said is None:
        read(text)
        return
    with pytest.raises(UserError) as error:
        read(text)
    message = str(error.value)
    assert said in message and '\n' not in message and len(message) <= 300
    assert message.startswith('labels.csv')


def test_missing_images_and_duplicate_rows_are_counted():
    """Rows of images that do not exist are losses; equal rows are read once."""
    found, account = read(rows(lambda at, n: f'{n},disc') + 'gone.jpg,disc\nim03.jpg,disc\n')
    assert len(found) == 24
    assert account.lost_images['no such image'] == ['labels.csv, line 25: gone.jpg']
    assert len(account.repairs['duplicate row']) == 1


def test_the_heading_is_told_by_what_the_cells_name():
    """A missing image in the first row is no heading; a heading may be called like an image."""
    found, account = read('gone.jpg,x\n' + rows(lambda at, n: f'{n},disc'))
    assert len(account.lost_images['no such image']) == 1 and len(found) == 24
    found, _ = read('image,label\nimage,disc\nother,disc\n', ['image.png', 'other.png'])
    assert found == {'image.png': ['disc'], 'other.png': ['disc']}


HEADINGS = [
    'file', 'label', 'class', 'split', 'xmin', 'ymin', 'xmax', 'ymax', 'x', 'y', 'w', 'h', 'bbox',
    'width', 'score', 'is_valid', 'region_shape_attributes', 'region_attributes',
]  # fmt: skip
WORDS = [
    *IMAGES[:4], 'im00', './im00.jpg', 'train', 'test', 'disc', 'a b', 'a|b', 'nan', '0', '1',
    '2.5', '1e400', '0.5', '-1', '"', '{}', '{"name": "rect"}', '[1, 2, 3, 4]', "['a']", ',', ';',
    '\t', '|', '\n', '\r\n', 'sep=;\n', 'http://[', '٣', '²', '\u2028', '\0', '..', '/',
]  # fmt: skip
TOKENS = st.sampled_from([*HEADINGS, *WORDS])
CELLS = st.one_of(TOKENS, st.text(max_size=6))


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(CELLS).map(''.join),
        st.lists(st.lists(CELLS, min_size=1, max_size=9), max_size=8).map(
            lambda table: '\n'.join(','.join(row) for row in table)
        ),
        st.lists(st.lists(CELLS, min_size=1, max_size=9), max_size=8).map(
            lambda table: written(table, ';')
        ),
    )
)
def test_any_text_is_read_or_refused_in_one_line(text):
    """Nothing but a result or a one-line UserError comes out of any text."""
    try:
        found, account = read(text, IMAGES[:4])
    except UserError as error:
        assert str(error).splitlines() == [str(error)] and len(str(error)) <= 400
    else:
        assert found.keys() <= set(IMAGES[:4])
        assert all(line.splitlines() == [line] for line in account.lines())


def written(table, delimiter):
    """Rows as the csv module writes them."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(table)
    return file.getvalue()


CLASSES = (
    'disc',
    'Bébé phoque',
    '猫',
    'smith, john',
    'a "quoted" one',
    "o'clock",
    'x/y',
    '100% {x}',
)


@st.composite
def label_sets(draw):
    """{file: one to three classes}, where at least a fifth of the files has several."""
    count = draw(st.integers(5, 20))
    one = st.lists(st.sampled_from(CLASSES), min_size=1, max_size=1)
    many = st.lists(st.sampled_from(CLASSES), min_size=2, max_size=3, unique=True)
    several = max(2, count // 5)
    return {n: draw(many if at < several else one) for at, n in enumerate(IMAGES[:count])}


def shuffled(draw, table):
    """The same columns in another order."""
    order = draw(st.permutations(range(len(table[0]))))
    return [[row[at] for at in order] for row in table]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_written_labels_read_back(data):
    """One label per row, wide, joined, and one column per class; any delimiter and order."""
    wanted = data.draw(label_sets())
    layout = data.draw(st.sampled_from(['long', 'wide', 'joined', 'flags']))
    headed = data.draw(st.booleans()) or layout == 'flags'
    if layout == 'long':
        table = [[n, label] for n, mine in wanted.items() for label in mine]
        heading = ['filename', 'label']
    elif layout == 'wide':
        table = [[n, *(mine + ['', ''])[:3]] for n, mine in wanted.items()]
        heading = ['filename', 'label_1', 'label_2', 'label_3']
    elif layout == 'joined':
        table, heading = [[n, '|'.join(mine)] for n, mine in wanted.items()], ['image', 'label']
    else:
        names = sorted({label for mine in wanted.values() for label in mine} | {'unused'})
        table = [[n, *(str(int(c in mine)) for c in names)] for n, mine in wanted.items()]
        heading = ['image', *names]
    table = shuffled(data.draw, [heading, *table])[0 if headed else 1 :]
    found, _ = read(written(table, data.draw(st.sampled_from(',;\t|'))))
    assert {n: sorted(mine) for n, mine in found.items()} == {
        n: sorted(mine) for n, mine in wanted.items()
    }


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_written_boxes_read_back(data):
    """One object per row, as corners or as corner and size; any delimiter and order."""
    side = st.integers(5, 40)
    wanted = {
        name: [
            (data.draw(st.sampled_from(CLASSES)), (x, y, x + data.draw(side), y + data.draw(side)))
            for x, y in data.draw(st.lists(st.tuples(side, side), max_size=3, unique=True))
        ]
        for name in IMAGES[: data.draw(st.integers(2, 6))]
    }
    wanted['im00.jpg'] = [('disc', (3, 4, 20, 30))]
    corners = data.draw(st.booleans())
    names = ['xmin', 'ymin', 'xmax', 'ymax'] if corners else ['x', 'y', 'w', 'h']
    table = [['filename', 'width', 'height', 'class', *names]]
    for name, objects in wanted.items():
        for label, (x1, y1, x2, y2) in objects:
            numbers = (x1, y1, x2, y2) if corners else (x1, y1, x2 - x1, y2 - y1)
            table.append([name, 96, 80, label, *numbers])
        if not objects:
            table.append([name, 96, 80, '', '', '', '', ''])
    found, _ = read(written(shuffled(data.draw, table), data.draw(st.sampled_from(',;\t|'))))
    assert found == wanted
