"""Decide before anything is computed what a fit does: weights, scales, features, patches."""

import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from tcnn_mm.datasets.formats.read_data import ReadOptions
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.feature_size import FeatureSize, measure_features
from tcnn_mm.estimator.fit_data import FitData, read_folder
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.estimator.growth import EarlierFit
from tcnn_mm.models.backbones.zoo import Weights, find_backbone, find_features, find_weights
from tcnn_mm.patches.coverage import Coverage, measure_coverage
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.patches.map_scales import map_scales
from tcnn_mm.patches.sampler import PatchSampler
from tcnn_mm.registry import MODELS

# λ of the follow-up's six test scales on VOC's images; image labels cannot ask for others.
WEAK_SCALES = (1.0, 1.2, 1.7, 2.3, 3.3, 4.7)
QUICK_WEAK_SCALES = (1.0, 1.7, 3.3)
ASKED_FOR = 'as asked for'
# Patches are read from maps that are up to this much coarser: for nine scales a third of the
# pixels, and 0.1 points of AP (docs/performance.md, "Fewer maps").
MAP_RATIO = 1.25
# Classes that the reasons list.
MOST_NAMED = 12


@dataclass(frozen=True)
class FitPlan:
    """All that the config says. The same data and options make the same plan.

    Attributes:
        backbone (str): Name of the network.
        weights (Weights): The file and what it expects.
        data (FitData): Images, classes, parts.
        scales (tuple[float, ...]): λ of the patches.
        reasons (list[str]): Why these scales, in words.
        rows (int): Patches to train on per epoch; images if weak.
        seed (int): Of the split and of the training.
        out (str): Folder for everything that is written.
        feature_size (FeatureSize, optional): What was measured of the features, for networks
            whose config does not know it.
        epochs (int, optional): Of training. Defaults to :func:`epochs_for`.
        quick (bool): Three scales and a quarter of the steps, for a first look.
        maps (tuple[float, ...], optional): λ of the maps that patches are read from; None in crop
            mode.
        options (dict): What `tcnn fit` was given of the network, for a fit that goes on from it.
        earlier (str, optional): Folder of the fit that this one goes on from.
    """

    backbone: str
    weights: Weights
    data: FitData
    scales: tuple[float, ...]
    reasons: list[str]
    rows: int
    seed: int
    out: str
    feature_size: FeatureSize | None = None
    epochs: int | None = None
    quick: bool = False
    maps: tuple[float, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    earlier: str | None = None

    @property
    def tested(self) -> bool:
        """Whether there are images for test alone."""
        return 'test' in self.data.counts

    @property
    def head(self) -> dict[str, Any]:
        """Entries of the head's config that were measured."""
        return {} if self.feature_size is None else self.feature_size._asdict()


def make_plan(
    data: str | Sequence[str],
    backbone: str,
    out: str,
    weights: str | None = None,
    pixels: str | None = None,
    scales: Sequence[float] | None = None,
    seed: int = 0,
    reading: ReadOptions | None = None,
    quick: bool = False,
    folds: FoldOptions | None = None,
    earlier: EarlierFit | None = None,
) -> FitPlan:
    """Plan a fit on annotated images; writes records and lists of ids into OUT/splits.

    Args:
        data: Folders, or files of annotations.
        backbone: Name of the network, see :func:`find_backbone`.
        out: Folder for everything that is written.
        weights: File. Defaults to one found in TCNN_WEIGHTS.
        pixels: What a file of unknown origin expects, a key of `PIXELS`.
        scales: λ. Defaults to the paper's, with larger ones where objects need them.
        seed: Of the split and of the training.
        reading: How the data are read; OUT is never looked into.
        quick: For a first look: three scales (unless `scales` says which) and a quarter of the
            steps.
        folds: Whether it is cross-validated. Defaults to one split.
        earlier: The data are added to those of this fit, which has the same network and scales.

    Raises:
        UserError: What :func:`read_folder` and :func:`plan_fit` refuse.
    """
    found = find_weights(backbone, weights, pixels)
    options = replace(reading or ReadOptions(), skip=(out,))
    annotated = read_folder(data, osp.join(out, 'splits'), options, seed, folds, earlier)
    plan = plan_fit(annotated, backbone, found, out, scales, seed, quick=quick, earlier=earlier)
    given = dict(backbone=backbone, weights=weights and osp.abspath(weights), pixels=pixels)
    return replace(plan, options=dict(given, quick=quick))


def plan_fit(
    data: FitData,
    backbone: str,
    weights: Weights,
    out: str,
    scales: Sequence[float] | None = None,
    seed: int = 0,
    epochs: int | None = None,
    quick: bool = False,
    earlier: EarlierFit | None = None,
) -> FitPlan:
    """Plan a fit: measure the features where that is needed, choose the scales, count patches.

    Raises:
        UserError: Weights of another network; no patch that an object names.
    """
    plan = FitPlan(
        backbone=backbone,
        weights=weights,
        data=data,
        scales=tuple(scales or (QUICK_WEAK_SCALES if quick else WEAK_SCALES)),
        reasons=[why_scales(earlier)] if scales else [],
        rows=len(data.train),
        seed=seed,
        out=out,
        epochs=epochs,
        quick=quick,
        earlier=earlier.out if earlier else None,
    )
    features = find_features(backbone, weights)
    if features:
        print_log(f'{backbone}: {features.said}', 'current')
        weights = Weights({**weights.model, **features.model}, f'{weights.said}; {features.said}')
        plan = replace(plan, weights=weights)
        size = (
            earlier.feature_size
            if earlier
            else measure_features(model_config(plan), [info['img_path'] for info in data.train])
        )
        print_log(
            f'{backbone}: {size.in_channels} features, multiplied by {size.feature_scale} to a '
            'root mean square of 1',
            'current',
        )
        plan = replace(plan, feature_size=size)
    if data.weak:
        print_log(f'no boxes, so no coverage to measure: λ = {plan.scales}', 'current')
    else:
        plan = choose_plan_scales(plan, scales)
    if model_config(plan).get('feature_mode') == 'dense':
        plan = replace(plan, maps=map_scales(plan.scales, MAP_RATIO))
    return plan


def why_scales(earlier: EarlierFit | None) -> str:
    """Why these scales, where none is chosen."""
    return f'those of {earlier.out}, whose features are kept' if earlier else ASKED_FOR


def choose_plan_scales(plan: FitPlan, scales: Sequence[float] | None) -> FitPlan:
    """The plan with the scales that its objects need, or those asked for, and its rows.

    Raises:
        UserError: No patch is named by an object.
    """
    items, classes = plan.data.train, plan.data.classes
    sampler = build_sampler(plan)
    grid, labeler = sampler.grid, sampler.labeler
    if scales:
        grid = with_scales(grid, scales)
    report = measure_coverage(items, classes, grid, labeler)
    print_log('\n'.join(report.table()), 'current')
    chosen, reasons = None, ["the paper's nine scales name objects of every class"]
    if scales:
        reasons = list(plan.reasons)
    elif plan.quick and report.quick:
        chosen = report.quick
        reasons = ['for a first look, those that cover most objects at half the cost of nine']
    elif report.choice and report.suggestion:
        chosen = report.choice.scales
        reasons = report.reasons()[:-2]  # without the lines to paste
    if chosen:
        print_log('these scales are used; others: --scales', 'current')
        grid = with_scales(grid, chosen)
        report = measure_coverage(items, classes, grid, labeler)
        print_log('with them:\n' + '\n'.join(report.table(advice=False)), 'current')
    reasons.append(named_share(report))
    if not report.labelled[:-2].sum():
        raise UserError('no patch is named by an object: give scales (larger λ, smaller patches)')
    rows = report.labelled[:-2].sum() + sampler.background_share * report.labelled[-2]
    return replace(plan, scales=tuple(grid.scales), reasons=reasons, rows=int(rows))


def named_share(report: Coverage) -> str:
    """How many objects give a patch its label, per class, in words."""
    rows = [*zip(report.classes, report.named.tolist(), report.objects.tolist(), strict=True)]
    rows = sorted(rows, key=lambda row: row[1] / max(1, row[2]))[:MOST_NAMED]
    which = ', fewest first' if len(report.classes) > 1 else ''
    shares = ', '.join(f'{name} {named} of {objects}' for name, named, objects in rows)
    return f'training objects that name a patch{which}: {shares}'


def with_scales(grid: PatchGrid, scales: Sequence[float]) -> PatchGrid:
    """The same grid at other scales."""
    return PatchGrid(scales, grid.overlap, grid.size, grid.stride, grid.snap)


def model_config(plan: FitPlan) -> ConfigDict:
    """The plan's model as far as its base and its weights say it."""
    head = dict(plan.head, num_classes=len(plan.data.classes))
    return network_config(plan.backbone, plan.weights.model, head)


def network_config(backbone: str, entries: Mapping[str, Any], head: dict[str, Any]) -> ConfigDict:
    """The model of a network: its base config with other entries.

    Args:
        backbone: See :func:`find_backbone`.
        entries: Of the model: weights, features.
        head: Entries of its head; 1 channel where neither they nor the base say how many.
    """
    base = f'tcnn_mm::_base_/models/{find_backbone(backbone).config}'
    cfg = Config.fromstring(f"_base_ = '{base}'", '.py')
    head = dict(dict(in_channels=cfg.model.head.get('in_channels', 1)), **head)
    cfg.merge_from_dict(dict(model=dict(entries, head=head)))
    return cfg.model


def build_sampler(plan: FitPlan) -> PatchSampler:
    """The sampler of the plan's model, without loading weights."""
    return MODELS.build(dict(model_config(plan), pretrained=None)).sampler
