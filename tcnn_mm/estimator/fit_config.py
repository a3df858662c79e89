"""The config that a fit writes: thin, readable, and all that a later run needs."""

import math
import pprint
import re
import shlex
from collections.abc import Mapping

from tcnn_mm.estimator.decisions import decision_entries, decision_lines
from tcnn_mm.estimator.plan import FitPlan
from tcnn_mm.models.backbones.zoo import find_backbone
from tcnn_mm.patches.geometry import DAMPING

# Passes over the patches, within these numbers of steps. Heads of 50 images were as good after 300
# steps as after 2000; a subset of 942 VOC images took 4000.
PASSES, LEAST_STEPS, MOST_STEPS = 20, 400, 2000
BATCH, IMAGES_PER_BATCH = 128, 16
# Weak training sees the windows of an image at one scale per step.
WEAK_STEPS = 600
# A first look takes a quarter of the steps.
QUICK_SHARE = 0.25
# Checkpoints of a training, at most about, and steps between two: small sets have many short
# epochs, and writing one takes as long as 20 steps of a small head.
CHECKPOINTS, STEPS_BETWEEN = 8, 100
# What ends a line of Python, or hides what follows on a screen.
CONTROL = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')
ROLES = ('train', 'val', 'test')


def epochs_for(rows: int, weak: bool, quick: bool = False) -> int:
    """Epochs over so many patches (images if weak): :data:`PASSES`, within the limits of steps.

    Weak training takes :data:`WEAK_STEPS` steps; a few images are one batch per epoch.
    `quick` takes :data:`QUICK_SHARE` of the steps.
    """
    share = QUICK_SHARE if quick else 1.0
    batch, most = (IMAGES_PER_BATCH, WEAK_STEPS) if weak else (BATCH, 200)
    per_pass = max(1, rows) / batch
    steps = WEAK_STEPS if weak else min(MOST_STEPS, max(LEAST_STEPS, PASSES * per_pass))
    return int(min(most, max(4, round(steps * share / per_pass))))


def milestones(epochs: int) -> list[int]:
    """Epochs after which the learning rate falls."""
    return [round(epochs * 0.65), round(epochs * 0.9)]


def checkpoint_interval(epochs: int, rows: int, weak: bool = False) -> int:
    """Epochs between two checkpoints, over so many patches (images if weak)."""
    steps = max(1, math.ceil(rows / (IMAGES_PER_BATCH if weak else BATCH)))
    return max(1, epochs // CHECKPOINTS, math.ceil(STEPS_BETWEEN / steps))


def plan_epochs(plan: FitPlan) -> int:
    """Epochs of a plan: those asked for, else :func:`epochs_for`."""
    return plan.epochs or epochs_for(plan.rows, plan.data.weak, plan.quick)


def literal(value: object) -> str:
    """A value as Python source, wrapped at 100 columns."""
    return pprint.pformat(value, width=90, compact=True, sort_dicts=False)


def call(value: object) -> str:
    """A dict as `dict(a=…)`, nested, in one line; other values by `repr`."""
    if not isinstance(value, Mapping):
        return repr(value)
    return 'dict(' + ', '.join(f'{key}={call(item)}' for key, item in value.items()) + ')'


def config_text(plan: FitPlan) -> str:
    """The whole file as Python source; the same for the same plan."""
    lines = [*_header(plan), *_data_lines(plan), *_fold_lines(plan)]
    for role in ROLES:
        lines += _loader_lines(plan, role)
    lines += [*_model_lines(plan), *_schedule_lines(plan)]
    return '\n'.join(map(plain_line, lines)) + '\n'


def plain_line(line: str) -> str:
    r"""One entry of the file, so that reading gives the same values whatever the names in it are.

    mmengine replaces `{{ … }}` anywhere in a config, before Python reads it: in a string such a
    brace is written `\x7b`. A line end in a comment would begin a line of Python.
    """
    if line.lstrip().startswith('#'):
        line = CONTROL.sub(lambda found: ascii(found.group())[1:-1], line)
    return re.sub(r'\{(?=\{)', r'\\x7b', line)


def _header(plan: FitPlan) -> list[str]:
    """Commands, decisions and the bases."""
    data, out = plan.data, plan.out
    batch = IMAGES_PER_BATCH if data.weak else BATCH
    backbone = find_backbone(plan.backbone)
    config, last = f'{out}/config.py', f'{out}/run/epoch_{plan_epochs(plan)}.pth'
    test = [f'#   tcnn test {shlex.quote(config)} {shlex.quote(last)}']
    return [
        '# Written by tcnn_mm; change what you like and run it again:',
        '#',
        f'#   tcnn train {shlex.quote(config)}',
        *(test if 'test' in data.sources else []),
        '#',
        *decision_entries(decision_lines(plan, plan_epochs(plan), batch)),
        *([f'fit_options = {call(plan.options)}'] if plan.options else []),
        '_base_ = [',
        f"    'tcnn_mm::_base_/models/{backbone.config}',",
        "    'tcnn_mm::_base_/experiments/own_images.py',",
        ']',
    ]


def _data_lines(plan: FitPlan) -> list[str]:
    """Classes, and what the parts have in common."""
    upright = ', upright=True' if plan.data.upright else ''
    return [
        f'classes = {literal(tuple(plan.data.classes))}',
        'images = dict(',
        *[f'    {key}={value!r},' for key, value in plan.data.source.items()],
        '    metainfo=dict(classes=classes),',
        f"    pipeline=[dict(type='tcnn_mm.LoadVOCObjects'{upright}), "
        "dict(type='tcnn_mm.PackPatchInputs')],",
        ')',
        '# Lists of images, and features of their patches: computed once, by the first run.',
    ]


def _fold_lines(plan: FitPlan) -> list[str]:
    """The folds, whose heads are trained and tested by `tcnn fit` alone."""
    folds = plan.data.folds
    if folds is None:
        return []
    return [
        '# Heads that did not see the images that they score; this config trains the one on all.',
        'cross_validation = dict(',
        f'    folds={folds.number},',
        f'    repeats={folds.repeats},',
        f'    lists={f"{plan.data.lists}/folds"!r},',
        f'    work_dir={f"{plan.out}/folds"!r},',
        f'    pointing={plan.data.pointing and "test" not in plan.data.sources},',
        ')',
    ]


def _loader_lines(plan: FitPlan, role: str) -> list[str]:
    """The data loader of one part; without such a part no loop either."""
    if role not in plan.data.sources:
        return [f'{role}_dataloader = {role}_cfg = {role}_evaluator = None']
    bags = plan.data.weak and role == 'train'
    grid = bool(plan.data.folds) and role == 'train' and not bags
    own = ''.join(f', {key}={value!r}' for key, value in plan.data.sources[role].items())
    return [
        f'{role}_dataloader = dict(',
        *([f'    batch_size={IMAGES_PER_BATCH},'] if bags else []),
        '    dataset=dict(',
        f'        bank={f"{plan.out}/banks/{role}"!r},',
        f'        source=dict(images{own}),',
        *(['        test_mode=True,  # all windows of an image together'] if bags else []),
        *(['        windows=True,  # all; training reads some'] if grid else []),
        '    ),',
        ')',
        *(_pointing_lines() if role == 'test' and plan.data.pointing else []),
    ]


def _pointing_lines() -> list[str]:
    """The test's evaluator, with localization by points."""
    return [
        'test_evaluator = [',
        '    *_base_.test_evaluator,',
        f"    dict(type='tcnn_mm.PointLocalization', mode='voc10', damping={DAMPING:g}),",
        ']',
    ]


def _model_lines(plan: FitPlan) -> list[str]:
    """What the model adds to its base: weights, head, sampler."""
    head = dict(num_classes=len(plan.data.classes), **plan.head)
    lines = ['model = dict(', *[f'    {k}={call(v)},' for k, v in plan.weights.model.items()]]
    if plan.maps:
        lines.append(f'    dense_scales={plan.maps},  # None: a map of each λ, slower and exact')
    if not plan.data.weak:
        return [
            *lines,
            f'    head={call(head)},',
            *[f'    # {reason}' for reason in plan.reasons],
            f'    sampler=dict(grid=dict(scales={plan.scales})),',
            ')',
        ]
    head.update(background=False, dropout=0.0)
    step = find_backbone(plan.backbone).window_step
    return [
        *lines,
        "    type='tcnn_mm.WeakPatchClassifier',  # no boxes: multiple-instance learning",
        f'    head={call(head)},',
        '    sampler=dict(',
        '        _delete_=True,',
        "        type='tcnn_mm.ScaleSampler',",
        f"        grid=dict(type='tcnn_mm.PatchGrid', stride={step}),",
        '        base=1.0,',
        f'        factors={plan.scales},',
        '    ),',
        '    aggregator=None,  # the maximum',
        ')',
    ]


def _schedule_lines(plan: FitPlan) -> list[str]:
    """Epochs, learning rates, seed, work dir, hooks."""
    epochs, weak = plan_epochs(plan), plan.data.weak
    rate = 0.01 if weak else find_backbone(plan.backbone).lr
    validation = f', val_interval={epochs}' if 'val' in plan.data.sources else ''
    interval = checkpoint_interval(epochs, plan.rows, weak)
    lines = [
        f'# {plan.rows} {"images" if weak else "patches"} to train on per epoch.',
        f'train_cfg = dict(max_epochs={epochs}{validation})',
        f'param_scheduler = dict(milestones={milestones(epochs)})',
        # One pass over the weights instead of five: a third of a step on a processor.
        f'optim_wrapper = dict(optimizer=dict(lr={rate}, fused=True))',
        f'randomness = dict(seed={plan.seed})',
        f'default_hooks = dict(checkpoint=dict(interval={interval}))',
        # mmengine writes a copy of the config into it, under the same name.
        f'work_dir = {f"{plan.out}/run"!r}',
    ]
    if weak:
        lines += [
            '# No patch has a label to report.',
            "custom_hooks = [h for h in _base_.custom_hooks if 'PatchReportHook' not in h['type']]",
        ]
    return lines
