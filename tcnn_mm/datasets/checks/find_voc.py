"""Where PASCAL VOC lies below a folder, and where to get it."""

import os.path as osp

from tcnn_mm.errors import UserError

PARTS = ('Annotations', 'ImageSets', 'JPEGImages')
# Images of each published list.
SIZES = {
    2007: {'train': 2501, 'val': 2510, 'trainval': 5011, 'test': 4952},
    2012: {'train': 5717, 'val': 5823, 'trainval': 11540},
}
ARCHIVES = {
    2007: {'trainval': 'VOCtrainval_06-Nov-2007.tar', 'test': 'VOCtest_06-Nov-2007.tar'},
    2012: {'trainval': 'VOCtrainval_11-May-2012.tar'},
}
GUIDE = """\
PASCAL VOC: download from http://host.robots.ox.ac.uk/pascal/VOC/
{archives}
and unpack all of them in one folder, DATA; each contains a part of
  DATA/VOCdevkit/VOC<year>/Annotations/<id>.xml
                          /ImageSets/Main/{{train,val,trainval,test}}.txt
                          /JPEGImages/<id>.jpg
Then: export TCNN_DATA=DATA, or call the folder `data`.
Data of your own: tcnn check FOLDER"""


def is_voc_folder(folder: str) -> bool:
    """Whether a folder has at least two of the three parts of VOC's layout."""
    return sum(osp.isdir(osp.join(folder, part)) for part in PARTS) >= 2


def has_voc_years(folder: str) -> bool:
    """Whether PASCAL VOC's own folders, `VOC2007` or `VOC2012`, are at or below a folder."""
    if is_voc_folder(folder):
        return osp.basename(osp.abspath(folder)) in {f'VOC{year}' for year in SIZES}
    return any(
        is_voc_folder(osp.join(folder, *at, f'VOC{year}'))
        for year in SIZES
        for at in ((), ('VOCdevkit',))
    )


def find_voc(data_dir: str, year: int | None = None) -> list[tuple[str, int | None]]:
    """Folders in VOC's layout at or below a folder.

    Args:
        data_dir: Such a folder itself, `VOCdevkit`, or the folder above it.
        year: 2007 or 2012: only this one.

    Returns:
        (path, year) each; the year is None for data that are not VOC's own.

    Raises:
        UserError: None there; says where was looked, where to get VOC and how to lay it out.
    """
    data_dir = osp.abspath(osp.expanduser(data_dir))
    if is_voc_folder(data_dir):
        named = next((y for y in SIZES if osp.basename(data_dir) == f'VOC{y}'), None)
        return [(data_dir, year or named)]
    found: list[tuple[str, int | None]] = []
    looked = []
    for y in [year] if year else SIZES:
        places = [osp.join(data_dir, *at, f'VOC{y}') for at in (('VOCdevkit',), ())]
        looked += places
        found += [(place, y) for place in places if osp.isdir(place)][:1]
    if found:
        return found
    archives = '\n'.join(
        f'  {name}' for y in SIZES if year in (None, y) for name in ARCHIVES[y].values()
    )
    raise UserError(
        f'no VOC data in {data_dir} (the folder given, else $TCNN_DATA, else ./data)\n'
        f'looked for {", ".join(PARTS)} there, and for\n  '
        + '\n  '.join(looked)
        + '\n'
        + GUIDE.format(archives=archives)
    )
