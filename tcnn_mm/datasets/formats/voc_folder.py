"""Folders of VOC's XML files and images, as tools leave them.

VOC's own tree (`Annotations/`, `JPEGImages/`, `ImageSets/Main/`), other names for these folders,
XML files beside their images (labelImg, Roboflow), and several such trees (`VOC2007/`, `VOC2012/`,
or `train/`, `valid/`, `test/`) are one data set.
"""

import os.path as osp
from collections.abc import Iterable
from dataclasses import dataclass, field

from tcnn_mm.datasets.formats.account import Account, named
from tcnn_mm.datasets.formats.annotated_images import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Reading,
)
from tcnn_mm.datasets.formats.check_boxes import sort_corners
from tcnn_mm.datasets.formats.folder_scan import ANNOTATION_FOLDERS, FolderScan, is_image
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.parts import part_of_path
from tcnn_mm.datasets.formats.voc_lists import read_voc_lists
from tcnn_mm.datasets.formats.voc_xml import named_image, read_voc_xml
from tcnn_mm.datasets.formats.xml_head import first_element
from tcnn_mm.errors import UserError

# Folders whose name says that they hold annotations; what is above them is one tree.
XML_FOLDERS = ANNOTATION_FOLDERS | {'xml', 'xmls'}

NO_IMAGE = 'no image of this name'


@dataclass
class VOCTree:
    """One tree of annotations.

    Attributes:
        root (str): Folder below the root of the data, '' for that root itself.
        xml_of (dict[str, str]): Image → its XML file.
        image_of (dict[str, str]): Names without extension of XML files whose <filename> says the
            image → it.
        lost (dict[str, tuple[str, str]]): Names without extension of XML files whose image was
            not found → the file, and why. No image of such a name is a negative.
    """

    root: str
    xml_of: dict[str, str] = field(default_factory=dict)
    image_of: dict[str, str] = field(default_factory=dict)
    lost: dict[str, tuple[str, str]] = field(default_factory=dict)


def find_voc(scan: FolderScan, index: ImageIndex) -> Reading | None:
    """A reading of the XML files whose root is <annotation>; None without any."""
    by_folder: dict[str, list[str]] = {}
    for file in scan.with_suffix('.xml'):
        by_folder.setdefault(osp.dirname(file), []).append(file)
    voc = {k: v for k, v in by_folder.items() if any(_is_voc(scan.path(f)) for f in v[:3])}
    if not voc:
        return None
    files = sum(map(len, voc.values()))
    places = named([f'{folder}/' if folder else 'the folder itself' for folder in voc], 4)
    evidence = f'{files} XML files in VOC format in {places}'
    return Reading(
        'voc',
        evidence,
        lambda account: read_voc(scan, index, sorted(sum(voc.values(), [])), account),
    )


def read_voc(
    scan: FolderScan, index: ImageIndex, files: Iterable[str], account: Account
) -> AnnotatedImages:
    """Read XML files and their images.

    Images without XML file in a folder with annotated ones are negatives. Where a tree has lists
    in ImageSets, these say which images are used and for what.

    Args:
        files: XML files below the root.

    Raises:
        UserError: One XML file was given; two XML files for one image; what
            :func:`read_voc_xml` and :func:`read_voc_lists` refuse.
    """
    if scan.only is not None:
        raise UserError(f'{scan.path(scan.only)}: the annotation of one image; give its folder')
    trees = _trees(scan, index, files, account)
    images: list[AnnotatedImage] = []
    for tree in trees:
        images += _read_tree(scan, index, tree, account)
    classes = sorted({item.name for image in images for item in image.objects})
    return AnnotatedImages(images, classes, boxes=True)


def _is_voc(path: str) -> bool:
    """Whether the first element of an XML file is <annotation>."""
    return first_element(path) == 'annotation'


def _tree_root(folder: str) -> tuple[str, str]:
    """The root of the tree that a folder of XML files is in, and the annotation folder."""
    names = folder.split('/')
    for at, name in enumerate(names):
        if name.lower() in XML_FOLDERS:
            return '/'.join(names[:at]), '/'.join(names[: at + 1])
    return folder, folder


def _trees(
    scan: FolderScan, index: ImageIndex, files: Iterable[str], account: Account
) -> list[VOCTree]:
    """Sort XML files into trees and find the image of each: by its name, else by <filename>."""
    trees: dict[str, VOCTree] = {}
    for file in files:
        root, folder = _tree_root(osp.dirname(file))
        tree = trees.setdefault(root, VOCTree(root))
        name = osp.splitext(osp.relpath(file, folder) if folder else file)[0]
        match = index.find(name, near=root, stem=not is_image(name))
        if not _is_voc(scan.path(file)) and osp.getsize(scan.path(file)):
            if match.file is None:
                account.leave_unused('XML file of another format', file)
            else:
                tree.lost[osp.basename(name)] = (file, 'no <annotation>')
            continue
        if match.file is None:
            tree.lost[osp.basename(name)] = (file, match.how)
            continue
        other = tree.xml_of.setdefault(match.file, file)
        if other != file:
            raise UserError(f'{scan.path(other)}: {scan.path(file)} is for the same image')
    taken = {image for tree in trees.values() for image in tree.xml_of}
    for tree in trees.values():
        _find_by_filename(scan, index, tree, taken, account)
    return list(trees.values())


def _find_by_filename(
    scan: FolderScan, index: ImageIndex, tree: VOCTree, taken: set[str], account: Account
) -> None:
    """Find images by the <filename> of XML files that have other names than their images.

    Two images of the XML file's name stay a loss: <filename> may be older than one of them.
    """
    for stem, (file, how) in list(tree.lost.items()):
        if how != NO_IMAGE or not _is_voc(scan.path(file)):
            continue
        image = index.find(named_image(scan.path(file)), near=tree.root).file
        if image is None or image in taken:
            continue
        taken.add(image)
        del tree.lost[stem]
        tree.xml_of[image], tree.image_of[stem] = file, image
        account.repair(f'{how}: that of its <filename>', file)


def _read_tree(
    scan: FolderScan, index: ImageIndex, tree: VOCTree, account: Account
) -> list[AnnotatedImage]:
    """The images of one tree, by its lists where it has some."""
    folders = {osp.dirname(image) for image in tree.xml_of}
    # Images with an XML file of their name, which is for another image or for none, are unclear.
    unclear = tree.lost.keys() | tree.image_of.keys()
    near = sorted(
        image
        for image in index.images
        if osp.dirname(image) in folders
        and (image in tree.xml_of or osp.splitext(osp.basename(image))[0] not in unclear)
    )
    lists = read_voc_lists(scan, tree.root)
    if not lists:
        for file, how in tree.lost.values():
            account.lose_image(f'{how.partition(":")[0]} for this XML file', file)
        return [_image(scan, index, tree, image, _part(tree, image), account) for image in near]
    return _listed(scan, index, tree, lists, near, account)


def _part(tree: VOCTree, image: str) -> str:
    """The part that the folders of an XML file, else of its image, say."""
    folders = [osp.dirname(tree.xml_of.get(image, '')), osp.dirname(image)]
    return next(filter(None, map(part_of_path, folders)), 'all')


def _listed(
    scan: FolderScan,
    index: ImageIndex,
    tree: VOCTree,
    lists: dict[str, list[str]],
    near: list[str],
    account: Account,
) -> list[AnnotatedImage]:
    """The images that the lists of one tree name."""
    found: list[AnnotatedImage] = []
    seen: set[str] = set()
    for part, names in lists.items():
        mine = []
        for name in names:
            match = index.find(name, near=tree.root, stem=not is_image(name))
            stem = osp.basename(osp.splitext(name)[0] if is_image(name) else name)
            if match.file is None and stem in tree.image_of:
                mine.append(tree.image_of[stem])
            elif match.file is None:
                where, how = tree.lost.get(stem, (name, match.how))
                account.lose_image(f'{how.partition(":")[0]} for this id of {part}', where)
            else:
                mine.append(match.file)
        seen.update(mine)
        if not any(image in tree.xml_of for image in mine):
            if mine:
                account.note(f'{part}: none of its {len(mine)} images has an XML file; not used')
            continue
        for image in mine:
            own = _part(tree, image) if part == 'all' else part
            found.append(_image(scan, index, tree, image, own, account))
    for image in near:
        if image not in seen:
            account.leave_unused('image in none of the lists', image)
    return found


def _names_another(filename: str, image: str, index: ImageIndex, near: str) -> bool:
    """Whether a <filename> is the name of an image that is there, and not this one."""
    stems = [osp.splitext(osp.basename(name.replace('\\', '/')))[0] for name in (filename, image)]
    return stems[0] != stems[1] and index.find(filename, near=near).file not in (None, image)


def _image(
    scan: FolderScan, index: ImageIndex, tree: VOCTree, image: str, part: str, account: Account
) -> AnnotatedImage:
    """One image with the objects of its XML file; a negative without one."""
    file = tree.xml_of.get(image)
    if file is None:
        return AnnotatedImage(image, part, image, annotated=False)
    annotation = read_voc_xml(scan.path(file))
    if _names_another(annotation['filename'], image, index, tree.root):
        account.repair('paired by its own name; its <filename> is another image of the data', file)
    objects = []
    for at, item in enumerate(annotation['objects'], 1):
        where = f'{file}: object {at} ({item["name"]})'
        x1, y1, x2, y2 = box = sort_corners(item['box'])
        if box != item['box']:
            account.repair('corners of a box sorted', where)
        if x1 < x2 and y1 < y2:  # VOC counts pixels from 1 and includes the last
            x1, y1 = x1 - 1, y1 - 1
        objects.append(
            AnnotatedObject(
                item['name'], (x1, y1, x2, y2), where, item['difficult'], item['truncated']
            )
        )
    height, width = annotation['height'], annotation['width']
    size = (height, width) if height and width else None
    return AnnotatedImage(image, part, file, objects, size_hw=size)
