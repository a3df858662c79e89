"""Whether a fit is cross-validated: by what is asked for, by few images, by few of a class."""

import pytest
from mmengine.config import Config

from tcnn_mm.datasets.checks.duplicate_images import Fingerprint
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage
from tcnn_mm.datasets.formats.check_images import CheckedImage
from tcnn_mm.datasets.formats.read_data import FoundData, FoundImage
from tcnn_mm.datasets.stratified_split import split_parts
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fold_choice import FoldOptions, choose_folds, image_groups
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import write_config
from tests.support.own_data import write_voc

AS_NEEDED = FoldOptions(None)


def data(labels, parts='all', groups=None):
    """Found data of images without files."""
    images = []
    for n, mine in enumerate(labels):
        part = parts if isinstance(parts, str) else parts[n]
        group = groups[n] if groups else ''
        image = AnnotatedImage(f'{n}.png', part, '', labels=[str(k) for k in mine], group=group)
        images.append(FoundImage(f'{n}.png', f'/{n}.png', CheckedImage(image, (9, 9)), f'{n}.png'))
    return FoundData('some data', False, ['0', '1'], images)


def choose(labels, options=AS_NEEDED, parts='all', groups=None):
    """The choice, of a stratified split of seed 0."""
    found = data(labels, parts, groups)
    split = split_parts([i.checked.image.part for i in found.images], labels, 0)
    return choose_folds(found, labels, split, options, 0)


def test_few_images_are_cross_validated():
    """Below 200 by five folds, at 200 by one split, unless a class has few images in a part."""
    _, folds = choose([[0], [1]] * 99)
    assert folds.number == 5 and folds.held_out.shape == (1, 198)
    assert folds.reason == '198 images are fewer than 200: one split would test on few'
    assert choose([[0], [1]] * 100) is None
    _, folds = choose([[0]] * 270 + [[1]] * 30)
    assert folds.reason == 'val would have 6 images of 1, fewer than 10'
    assert choose([[0]] * 2400 + [[1]] * 30) is None  # for --folds alone


def test_what_is_asked_for_is_done():
    """--folds 0 never, --folds N always, --repeats divides again; too many folds are refused."""
    assert choose([[0], [1]] * 20, FoldOptions(0)) is None
    _, folds = choose([[0], [1]] * 2000, FoldOptions(3, 2))
    assert folds.number == 3 and folds.repeats == 2 and folds.reason == 'as asked for'
    assert (folds.held_out[0] != folds.held_out[1]).any()
    with pytest.raises(UserError, match='30 folds of 20 images: choose from 2 to 20'):
        choose([[0], [1]] * 10, FoldOptions(30))
    with pytest.raises(UserError, match='no images remain to test on; 1 images, 1 group'):
        choose([[0]])


def test_images_for_test_are_in_no_fold():
    """The part test stays for test; val joins the folds."""
    numbers, folds = choose([[0], [1]] * 20, parts=['train', 'val', 'test', 'all'] * 10)
    assert not {2, 6, 38} & set(numbers) and len(numbers) == 30 and {1, 5} <= set(numbers)
    assert folds.held_out.shape == (1, 30)


def test_groups_and_duplicates_are_in_one_fold():
    """Named groups, and images that are the same; groups that share a duplicate are one."""
    found = data([[0]] * 6, groups=['a', 'a', '', 'b', '', ''])
    same = Fingerprint('x', 1, bytes(768))
    prints = {
        f'{n}.png': Fingerprint(str(n), 1 << 20 + n, bytes([40 * n + 40] * 768)) for n in range(6)
    }
    prints.update({'1.png': same, '3.png': same, '4.png': same})
    found.prints = dict(all=prints)
    group, together = image_groups(found, range(6))
    assert len({group[n] for n in (0, 1, 3, 4)}) == 1 and len(set(group)) == 3
    assert together == 'images of one group (2 groups) and duplicates (3 images)'
    with pytest.raises(UserError, match='tcnn fit --group keeps images together in folds'):
        choose([[0], [1]] * 3, FoldOptions(0), groups=['a'] * 6)
    _, folds = choose([[0], [1]] * 300, groups=[str(n // 3) for n in range(600)])
    assert folds.reason == 'the data name groups of images'


def test_the_config_of_a_fit_says_the_folds(tmp_path):
    """Lists of each fold, one bank of all windows, no val, the reason among the decisions."""
    root, out = str(write_voc(tmp_path / 'data', count=10)), tmp_path / 'out'
    plan = make_plan(root, 'minivoc', str(out), folds=AS_NEEDED)
    assert plan.data.counts == dict(train=10) and not plan.tested
    cfg = Config.fromfile(write_config(plan))
    assert (
        cfg.train_dataloader.dataset.windows and cfg.val_dataloader is cfg.test_dataloader is None
    )
    assert cfg.cross_validation.folds == 5 and cfg.cross_validation.pointing
    decisions = dict(cfg.decisions)
    assert decisions['Cross-validation'].startswith('cross-validated, 5 folds: 10 images are fewer')
    assert decisions['Localization'] == 'measured on the boxes of the held-out images'
    held = []
    for fold in range(1, 6):
        lists = {
            name: (out / f'splits/folds/1_{fold}/{name}.txt').read_text().split()
            for name in ('train', 'held_out')
        }
        assert len(lists['train']) == 8 and not set(lists['train']) & set(lists['held_out'])
        held += lists['held_out']
    assert sorted(held) == sorted((out / 'splits/train.txt').read_text().split())
