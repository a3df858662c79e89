"""A fit that goes on from an earlier one: its images, and new images and classes, as one data set.

Features of the earlier images are copied from its banks, so their files are not needed any more.
"""

import json
import os.path as osp
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mmengine.config import Config

from tcnn_mm.datasets.bank_reading import read_manifest
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject
from tcnn_mm.datasets.formats.check_images import CheckedImage
from tcnn_mm.datasets.formats.id_list import read_ids
from tcnn_mm.datasets.formats.read_data import FoundData, FoundImage
from tcnn_mm.datasets.stratified_split import split_parts
from tcnn_mm.engine.image_digests import file_digests
from tcnn_mm.engine.read_config import read_config
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.estimator.feature_size import FeatureSize

ROLES = ('train', 'val', 'test')


@dataclass(frozen=True)
class EarlierFit:
    """A finished fit that others go on from.

    Attributes:
        out (str): Its folder.
        config (Config): Of it.
        classes (list[str]): K names.
        records (list[dict]): Of its images, as :func:`write_records` takes them.
        roles (dict[str, str]): Id of an image → 'train', 'val' or 'test'.
        digests (dict[str, str]): Id → digest of the file that its features are of.
    """

    out: str
    config: Config
    classes: list[str]
    records: list[dict[str, Any]]
    roles: dict[str, str]
    digests: dict[str, str]

    @property
    def options(self) -> dict[str, Any]:
        """dict: What `tcnn fit` was given: backbone, weights, pixels, quick."""
        return dict(self.config.fit_options)

    @property
    def folds(self) -> int:
        """int: Of its cross-validation; 0 for one split."""
        found = self.config.get('cross_validation')
        return int(found.folds) if found else 0

    @property
    def upright(self) -> bool:
        """bool: Its images are read as their EXIF orientation shows them."""
        return bool(self.config['images'].pipeline[0].get('upright', False))

    @property
    def scales(self) -> tuple[float, ...]:
        """tuple[float, ...]: λ of its patches."""
        sampler = self.config.model.sampler
        return tuple(sampler.factors if 'factors' in sampler else sampler.grid.scales)

    @property
    def feature_size(self) -> FeatureSize:
        """FeatureSize: What was measured of its features."""
        head = self.config.model.head
        return FeatureSize(head.in_channels, head.get('feature_scale', 1.0))

    def bank(self, role: str) -> str:
        """Folder of the bank of a role."""
        return osp.join(self.out, 'banks', role)


def read_earlier_fit(out: str) -> EarlierFit:
    """Read the folder that a `tcnn fit` has written.

    Raises:
        UserError: No finished fit, or one of a version that did not record what it needs.
    """
    out = osp.abspath(out)
    path, records = osp.join(out, 'config.py'), osp.join(out, 'splits', 'records.json')
    for needed in (path, records, osp.join(out, 'banks', 'train', 'manifest.json')):
        if not osp.isfile(needed):
            raise UserError(
                f'{out}: no fit to go on from: {osp.relpath(needed, out)} is missing\n'
                'give the --out of a finished one: tcnn fit OUT --add DIR --out NEW'
            )
    config = read_config(path)
    if 'fit_options' not in config:
        raise UserError(
            f'{path}: made by an earlier version, or by hand: fit_options is missing, which says '
            'the network; fit again with another --out, and go on from that'
        )
    with open(records, encoding='utf-8') as file:
        content = json.load(file)
    roles, digests = {}, {}
    for role in ROLES:
        if osp.isfile(osp.join(out, 'banks', role, 'manifest.json')):
            roles.update(dict.fromkeys(read_ids(osp.join(out, 'splits', f'{role}.txt')), role))
            pictures = read_manifest(osp.join(out, 'banks', role))['pictures']
            digests.update({p['img_id']: p['digest'] for p in pictures if 'digest' in p})
    return EarlierFit(
        out=out,
        config=config,
        classes=list(content['classes']),
        records=[record for record in content['images'] if record['id'] in roles],
        roles=roles,
        digests=digests,
    )


def grow(fit: EarlierFit, added: FoundData, seed: int = 0) -> FoundData:
    """The images of an earlier fit and new ones as one data set.

    Images keep the part that they had; new ones of a fit with one split are split by themselves.
    A new image whose file is one of the earlier ones takes its place: its annotations are the new
    ones, and for classes that the new data do not have the earlier ones. What nobody annotated is
    unknown: an earlier image says nothing of a new class, nor a new image of a class that the new
    data do not have.

    Args:
        fit: The earlier one.
        added: New images; they may be of classes that the fit has, or of others.
        seed: Of the split of new images.

    Raises:
        UserError: Boxes on one side, image labels alone on the other; ids of two images.
    """
    boxes = any(record['boxes'] for record in fit.records)
    if boxes != added.boxes:
        what = {True: 'objects with boxes', False: 'image labels, no boxes'}
        raise UserError(
            f'{added.description}, and {fit.out} has {what[boxes]}: they cannot be trained together'
        )
    classes = [*fit.classes, *sorted(set(added.classes) - set(fit.classes))]
    new_classes = [name for name in classes if name not in fit.classes]
    old_only = [name for name in fit.classes if name not in added.classes]
    earlier = {record['id']: _earlier_image(record, fit, new_classes) for record in fit.records}
    by_digest = {fit.digests[key]: key for key in earlier if key in fit.digests}
    digests = file_digests([image.path for image in added.images], [False] * len(added.images))
    _split_new(added, fit, seed)
    fresh, again = [], 0
    for image, digest in zip(added.images, digests, strict=True):
        known = by_digest.get(digest)
        if known is None:
            fresh.append(replace(image, unknown=tuple(old_only)))
        else:
            earlier[known] = _annotated_again(earlier[known], image, old_only)
            again += 1
    images = [*earlier.values(), *fresh]
    twice = [key for key, count in Counter(image.id for image in images).items() if count > 1]
    if twice:
        raise UserError(
            f'{twice[0]}: an image of {fit.out} and another one of the new folder have this id '
            f'({len(twice)} such ids); rename the files or the folder'
        )
    if again:
        added.account.note(
            f'{again} images are in {fit.out} already: they take the annotations of the new folder'
        )
    _note_unknown(added, fit, len(fresh), new_classes, old_only)
    return FoundData(
        description=f'{fit.out}: {len(fit.records)} images of that fit, whose features are kept; '
        f'{added.description}',
        boxes=added.boxes,
        classes=classes,
        images=images,
        account=added.account,
        prints={part: dict(prints) for part, prints in added.prints.items()},
    )


def _earlier_image(
    record: Mapping[str, Any], fit: EarlierFit, new_classes: Sequence[str]
) -> FoundImage:
    """An image of the earlier fit; it says nothing of new classes."""
    flags = [
        record.get(key) or [False] * len(record['boxes']) for key in ('difficult', 'truncated')
    ]
    objects = [
        AnnotatedObject(fit.classes[label], tuple(box), record['id'], difficult, truncated)
        for box, label, difficult, truncated in zip(
            record['boxes'], record['box_labels'], *flags, strict=True
        )
    ]
    unknown = [fit.classes[label] for label in record.get('unknown', ())]
    image = AnnotatedImage(
        file=record['id'],
        part=fit.roles[record['id']],
        where=osp.join(fit.out, 'splits', 'records.json'),
        objects=objects,
        labels=[fit.classes[label] for label in record['labels']],
    )
    return FoundImage(
        id=record['id'],
        path=record['file'],
        checked=CheckedImage(image, tuple(record['size_hw'])),
        print=f'{fit.out}: {record["id"]}',
        unknown=(*unknown, *new_classes),
    )


def _annotated_again(old: FoundImage, new: FoundImage, old_only: Sequence[str]) -> FoundImage:
    """An image of the earlier fit with new annotations, where there are some."""
    before, now = old.checked.image, new.checked.image
    image = replace(
        before,
        objects=[*now.objects, *(o for o in before.objects if o.name in old_only)],
        labels=sorted({*now.labels, *(name for name in before.labels if name in old_only)}),
        where=now.where,
        group=now.group,
    )
    return FoundImage(
        id=old.id,
        path=new.path,
        checked=CheckedImage(image, new.checked.size_hw),
        print=new.print,
        unknown=tuple(name for name in old.unknown if name in old_only),
    )


def _split_new(added: FoundData, fit: EarlierFit, seed: int) -> None:
    """Give each new image a part, as the earlier fit has them; in place."""
    if fit.folds:
        return
    images = [one.checked.image for one in added.images]
    names = [{*image.labels, *(o.name for o in image.objects)} for image in images]
    label = {name: k for k, name in enumerate(added.classes)}
    labels = [[label[name] for name in sorted(mine) if name in label] for mine in names]
    try:
        roles = split_parts([image.part for image in images], labels, seed)
    except InvalidValueError as error:
        raise UserError(f'{added.description}: {error}') from error
    for role, numbers in roles.items():
        for n in numbers:
            images[n].part = role


def _note_unknown(
    added: FoundData,
    fit: EarlierFit,
    fresh: int,
    new_classes: Sequence[str],
    old_only: Sequence[str],
) -> None:
    """Say of which classes which images are not annotated."""
    for count, names, where in (
        (len(fit.records), new_classes, f'images of {fit.out}'),
        (fresh, old_only, 'new images'),
    ):
        if count and names:
            added.account.note(
                f'{count} {where} are not annotated for {", ".join(names)}: they count neither as '
                'with nor as without'
            )
