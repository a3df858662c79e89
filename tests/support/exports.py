"""Write the same images and objects as the exports of labelling tools, in their exact layouts."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 48, 64
NAMES = ('cat', 'dog')
PARTS = {'train': 4, 'valid': 2, 'test': 2}


class Scene(NamedTuple):
    """One image: its name without extension, and objects (class, x1, y1, x2, y2) in pixels."""

    name: str
    objects: list[tuple[str, int, int, int, int]]


def scenes(part: str = 'train') -> list[Scene]:
    """The images of one part; every second one has two objects."""
    first = sum(n for name, n in PARTS.items() if list(PARTS).index(name) < list(PARTS).index(part))
    found = []
    for number in range(first, first + PARTS[part]):
        objects = [(NAMES[number % 2], 4 + number, 6, 30 + number, 40)]
        if number % 2:
            objects.append((NAMES[0], 40, 8, 60, 28))
        found.append(Scene(f'photo {number}', objects))
    return found


def everything() -> list[Scene]:
    """The images of all parts."""
    return [scene for part in PARTS for scene in scenes(part)]


def draw(path: Path) -> None:
    """An image file of noise of its own, so that no two are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, path.name))
    pixels = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def write(path: Path, text: str) -> None:
    """A text file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')


def voc_xml(scene: Scene, source: str) -> str:
    """An annotation of one image with the elements that the tools write."""
    rows = [
        f'<annotation><folder></folder><filename>{scene.name}.jpg</filename>'
        f'<path>{scene.name}.jpg</path><source><database>{source}</database></source>'
        f'<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>'
        '<segmented>0</segmented>'
    ]
    for name, x1, y1, x2, y2 in scene.objects:
        rows.append(
            f'<object><name>{name}</name><pose>Unspecified</pose><truncated>0</truncated>'
            f'<difficult>0</difficult><occluded>0</occluded><bndbox><xmin>{x1 + 1}</xmin>'
            f'<xmax>{x2}</xmax><ymin>{y1 + 1}</ymin><ymax>{y2}</ymax></bndbox></object>'
        )
    return '\n'.join([*rows, '</annotation>'])


def coco_json(images: list[Scene], file_name: Callable[[str], str], root_category: bool) -> str:
    """COCO's JSON; Roboflow writes a root category of number 0 that no object has."""
    first = 1
    parent = 'animals' if root_category else 'none'
    categories = [dict(id=first + k, name=n, supercategory=parent) for k, n in enumerate(NAMES)]
    if root_category:
        categories.insert(0, dict(id=0, name='animals', supercategory='none'))
    content: dict[str, list] = dict(images=[], annotations=[], categories=categories)
    for number, scene in enumerate(images):
        content['images'].append(
            dict(id=number, license=1, file_name=file_name(scene.name), height=HEIGHT, width=WIDTH)
        )
        for name, x1, y1, x2, y2 in scene.objects:
            content['annotations'].append(
                dict(
                    id=len(content['annotations']),
                    image_id=number,
                    category_id=first + NAMES.index(name),
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    area=(x2 - x1) * (y2 - y1),
                    segmentation=[],
                    iscrowd=0,
                )
            )
    return json.dumps(dict(info=dict(year=2024), licenses=[], **content))


def yolo_lines(scene: Scene) -> str:
    """Class number, centre, width and height in fractions of the image."""
    rows = []
    for name, x1, y1, x2, y2 in scene.objects:
        values = (
            (x1 + x2) / 2 / WIDTH,
            (y1 + y2) / 2 / HEIGHT,
            (x2 - x1) / WIDTH,
            (y2 - y1) / HEIGHT,
        )
        rows.append(' '.join([str(NAMES.index(name)), *(f'{value:.6f}' for value in values)]))
    return '\n'.join(rows) + '\n'


def roboflow_readme(root: Path) -> None:
    """The texts that Roboflow puts beside every export."""
    write(root / 'README.roboflow.txt', 'animals - v1\nProvided by a Roboflow user\n')
    write(root / 'README.dataset.txt', '# animals > v1\nhttps://universe.roboflow.com/x/animals\n')


def roboflow_voc(root: Path) -> None:
    roboflow_readme(root)
    for part in PARTS:
        for scene in scenes(part):
            draw(root / part / f'{scene.name}.jpg')
            write(root / part / f'{scene.name}.xml', voc_xml(scene, 'roboflow.com'))


def roboflow_coco(root: Path) -> None:
    roboflow_readme(root)
    for part in PARTS:
        for scene in scenes(part):
            draw(root / part / f'{scene.name}.jpg')
        text = coco_json(scenes(part), lambda name: f'{name}.jpg', root_category=True)
        write(root / part / '_annotations.coco.json', text)


def roboflow_yolo(root: Path) -> None:
    roboflow_readme(root)
    for part in PARTS:
        for scene in scenes(part):
            draw(root / part / 'images' / f'{scene.name}.jpg')
            write(root / part / 'labels' / f'{scene.name}.txt', yolo_lines(scene))
    write(
        root / 'data.yaml',
        'train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n'
        f'nc: {len(NAMES)}\nnames: {list(NAMES)}\n\nroboflow:\n  workspace: x\n  version: 1\n',
    )


def roboflow_csv(root: Path) -> None:
    roboflow_readme(root)
    for part in PARTS:
        rows = [['filename', 'width', 'height', 'class', 'xmin', 'ymin', 'xmax', 'ymax']]
        for scene in scenes(part):
            draw(root / part / f'{scene.name}.jpg')
            rows += [[f'{scene.name}.jpg', WIDTH, HEIGHT, *item] for item in scene.objects]
        with open(root / part / '_annotations.csv', 'w', newline='') as file:
            csv.writer(file).writerows(rows)


def roboflow_classes_csv(root: Path) -> None:
    """Roboflow's multi-label classification: one column per class, a blank after each comma."""
    roboflow_readme(root)
    for part in PARTS:
        rows = ['filename, ' + ', '.join(NAMES)]
        for scene in scenes(part):
            draw(root / part / f'{scene.name}.jpg')
            flags = [str(int(any(item[0] == name for item in scene.objects))) for name in NAMES]
            rows.append(f'{scene.name}.jpg, ' + ', '.join(flags))
        write(root / part / '_classes.csv', '\n'.join(rows) + '\n')


def roboflow_folders(root: Path) -> None:
    """Roboflow's single-label classification: one folder per class below each part."""
    roboflow_readme(root)
    for part in PARTS:
        for scene in scenes(part):
            draw(root / part / scene.objects[0][0] / f'{scene.name}.jpg')


def label_studio_voc(root: Path) -> None:
    for scene in everything():
        draw(root / 'images' / f'{scene.name}.jpg')
        write(root / 'Annotations' / f'{scene.name}.xml', voc_xml(scene, 'MyDatabase'))


def label_studio_coco(root: Path) -> None:
    for scene in everything():
        draw(root / 'images' / f'{scene.name}.jpg')
    text = coco_json(everything(), lambda name: f'images/{name}.jpg', root_category=False)
    write(root / 'result.json', text)


def label_studio_yolo(root: Path) -> None:
    for scene in everything():
        draw(root / 'images' / f'{scene.name}.jpg')
        write(root / 'labels' / f'{scene.name}.txt', yolo_lines(scene))
    write(root / 'classes.txt', '\n'.join(NAMES) + '\n')
    categories = [dict(id=k, name=name) for k, name in enumerate(NAMES)]
    write(root / 'notes.json', json.dumps(dict(categories=categories, info=dict(version='1.0'))))


def studio_tasks(result: Callable[[Scene], list[dict]]) -> str:
    """Tasks of Label Studio, with the names that uploaded files get."""
    return json.dumps(
        [
            dict(
                id=number,
                data=dict(image=f'/data/upload/1/{number:08x}-{quote(scene.name)}.jpg'),
                annotations=[
                    dict(id=number, was_cancelled=True, result=[]),
                    dict(id=number + 50, was_cancelled=False, result=result(scene)),
                ],
                predictions=[dict(result=[dict(type='choices', value=dict(choices=['bird']))])],
            )
            for number, scene in enumerate(everything(), 1)
        ]
    )


def label_studio_json(root: Path) -> None:
    for scene in everything():
        draw(root / 'images' / f'{scene.name}.jpg')

    def boxes(scene: Scene) -> list[dict]:
        return [
            dict(
                id=f'r{at}', type='rectanglelabels', from_name='box', to_name='image',
                original_width=WIDTH, original_height=HEIGHT, image_rotation=0,
                value=dict(
                    x=100 * x1 / WIDTH, y=100 * y1 / HEIGHT, width=100 * (x2 - x1) / WIDTH,
                    height=100 * (y2 - y1) / HEIGHT, rotation=0, rectanglelabels=[name],
                ),
            )
            for at, (name, x1, y1, x2, y2) in enumerate(scene.objects)
        ]  # fmt: skip

    write(root / 'project-1.json', studio_tasks(boxes))


def label_studio_choices(root: Path) -> None:
    """A classification project: the choices of an image."""
    for scene in everything():
        draw(root / 'images' / f'{scene.name}.jpg')

    def choices(scene: Scene) -> list[dict]:
        names = sorted({item[0] for item in scene.objects})
        return [dict(type='choices', from_name='c', to_name='i', value=dict(choices=names))]

    write(root / 'project-2.json', studio_tasks(choices))


def label_studio_csv(root: Path) -> None:
    """Choices of a classification project; images by the address they have on the server."""
    head = ['image', 'id', 'choice', 'annotator', 'annotation_id', 'created_at', 'lead_time']
    rows: list[list[object]] = [head]
    for number, scene in enumerate(everything()):
        draw(root / 'upload' / f'{scene.name}.jpg')
        url = f'/data/upload/1/{scene.name.replace(" ", "%20")}.jpg'
        when = f'2024-05-0{number + 1}T10:00:00.000000Z'
        rows.append([url, number + 1, scene.objects[0][0], 1, number + 11, when, 2.5 + number])
    with open(root / 'project-1.csv', 'w', newline='') as file:
        csv.writer(file).writerows(rows)


def cvat_voc(root: Path) -> None:
    for scene in everything():
        draw(root / 'JPEGImages' / f'{scene.name}.jpg')
        write(root / 'Annotations' / f'{scene.name}.xml', voc_xml(scene, 'Unknown'))
    names = [scene.name for scene in everything()]
    write(root / 'ImageSets' / 'Main' / 'default.txt', '\n'.join(names) + '\n')
    rows = ['# label:color_rgb:parts:actions', 'background:0,0,0::']
    write(root / 'labelmap.txt', '\n'.join([*rows, *(f'{name}:128,0,0::' for name in NAMES)]))


def cvat_coco(root: Path) -> None:
    for scene in everything():
        draw(root / 'images' / 'default' / f'{scene.name}.jpg')
    text = coco_json(everything(), lambda name: f'{name}.jpg', root_category=False)
    write(root / 'annotations' / 'instances_default.json', text)


def cvat_yolo(root: Path) -> None:
    names = []
    for scene in everything():
        draw(root / 'obj_train_data' / f'{scene.name}.jpg')
        write(root / 'obj_train_data' / f'{scene.name}.txt', yolo_lines(scene))
        names.append(f'data/obj_train_data/{scene.name}.jpg')
    write(root / 'train.txt', '\n'.join(names) + '\n')
    write(root / 'obj.names', '\n'.join(NAMES) + '\n')
    write(
        root / 'obj.data',
        f'classes = {len(NAMES)}\ntrain = data/train.txt\nnames = data/obj.names\n'
        'backup = backup/\n',
    )


def cvat_xml(images: list[str]) -> str:
    """CVAT for images 1.1 with its <meta> of a task."""
    labels = ''.join(
        f'<label><name>{name}</name><color>#fa3253</color><type>any</type><attributes>'
        '</attributes></label>'
        for name in NAMES
    )
    meta = (
        f'<meta><task><id>7</id><name>animals</name><size>{len(images)}</size>'
        '<mode>annotation</mode><overlap>0</overlap><bugtracker></bugtracker>'
        f'<subset>default</subset><labels>{labels}</labels><segments><segment><id>7</id>'
        '<start>0</start><stop>7</stop></segment></segments></task><dumped>2024-05-01</dumped></meta>'
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>'
    return '\n'.join([head, meta, *images, '</annotations>\n'])


def cvat_images(root: Path) -> None:
    rows = []
    for number, scene in enumerate(everything()):
        draw(root / 'images' / f'{scene.name}.jpg')
        rows.append(
            f'<image id="{number}" name="{scene.name}.jpg" width="{WIDTH}" height="{HEIGHT}">'
        )
        for name, x1, y1, x2, y2 in scene.objects:
            rows.append(
                f'<box label="{name}" source="manual" occluded="0" xtl="{x1:.2f}" ytl="{y1:.2f}" '
                f'xbr="{x2:.2f}" ybr="{y2:.2f}" z_order="0"></box>'
            )
        rows.append('</image>')
    write(root / 'annotations.xml', cvat_xml(rows))


def cvat_tags(root: Path) -> None:
    """A classification task: a tag per image and class."""
    rows = []
    for number, scene in enumerate(everything()):
        draw(root / 'images' / f'{scene.name}.jpg')
        tags = ''.join(f'<tag label="{item[0]}" source="manual"></tag>' for item in scene.objects)
        rows.append(
            f'<image id="{number}" name="{scene.name}.jpg" width="{WIDTH}" height="{HEIGHT}">'
            f'{tags}</image>'
        )
    write(root / 'annotations.xml', cvat_xml(rows))


def ultralytics(root: Path) -> None:
    """Ultralytics' own tree: parts below images/ and labels/."""
    for part in PARTS:
        short = part.removesuffix('id')
        for scene in scenes(part):
            draw(root / 'images' / short / f'{scene.name}.jpg')
            write(root / 'labels' / short / f'{scene.name}.txt', yolo_lines(scene))
        (root / 'labels' / f'{short}.cache').write_bytes(b'\x80\x04')
    write(
        root / 'data.yaml',
        '# Ultralytics YOLO\npath: ../datasets/animals # dataset root dir\ntrain: images/train\n'
        'val: images/val\ntest: images/test # optional\n\nnames:\n  0: cat\n  1: dog\n',
    )


def cvat_ultralytics(root: Path) -> None:
    """CVAT's Ultralytics YOLO: lists of images in place of folders."""
    names = []
    for scene in everything():
        draw(root / 'images' / 'train' / f'{scene.name}.jpg')
        write(root / 'labels' / 'train' / f'{scene.name}.txt', yolo_lines(scene))
        names.append(f'data/images/train/{scene.name}.jpg')
    write(root / 'train.txt', '\n'.join(names) + '\n')
    write(root / 'data.yaml', 'names:\n  0: cat\n  1: dog\npath: .\ntrain: train.txt\n')


def roboflow_darknet(root: Path) -> None:
    roboflow_readme(root)
    for part in PARTS:
        for scene in scenes(part):
            draw(root / part / f'{scene.name}.jpg')
            write(root / part / f'{scene.name}.txt', yolo_lines(scene))
        write(root / part / '_darknet.labels', '\n'.join(NAMES) + '\n')


def label_img(root: Path) -> None:
    """labelImg's PascalVOC in the folder of the images, with its list of classes."""
    for scene in everything():
        draw(root / f'{scene.name}.jpg')
        write(root / f'{scene.name}.xml', voc_xml(scene, 'Unknown'))


def label_img_yolo(root: Path) -> None:
    """labelImg's YOLO in the folder of the images."""
    for scene in everything():
        draw(root / f'{scene.name}.jpg')
        write(root / f'{scene.name}.txt', yolo_lines(scene))
    write(root / 'classes.txt', '\n'.join(NAMES) + '\n')


# Exports with boxes, and those with image labels of every object, or of the first one.
BOXES = {
    f.__name__: f
    for f in (
        roboflow_voc, roboflow_coco, roboflow_yolo, roboflow_csv, label_studio_voc,
        label_studio_coco, label_studio_yolo, cvat_voc, cvat_coco, cvat_yolo, cvat_images,
        label_img, label_img_yolo, ultralytics, cvat_ultralytics, roboflow_darknet,
        label_studio_json,
    )
}  # fmt: skip
LABELS = {f.__name__: f for f in (
    roboflow_classes_csv, roboflow_folders, label_studio_csv, label_studio_choices, cvat_tags,
)}  # fmt: skip
