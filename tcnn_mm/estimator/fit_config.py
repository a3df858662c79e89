"""The config that `tcnn fit` writes: thin, readable, and all that a later run needs."""

import pprint

from tcnn_mm.models.backbones.zoo import BACKBONES

# Steps of the head, whatever the number of patches; a 942-picture VOC subset took 4000.
STEPS, BATCH, PICTURES_A_BATCH = 2000, 128, 16
# Weak training sees a picture's windows at one scale a step.
WEAK_STEPS = 600


def epochs_for(rows, weak):
    """Epochs of about :data:`STEPS` steps over so many patches (pictures if weak), 4 … 200.

    Weak training of a few pictures has a batch an epoch and may take as many as steps.
    """
    steps, batch, most = (WEAK_STEPS, PICTURES_A_BATCH, WEAK_STEPS) if weak else (STEPS, BATCH, 200)
    return int(min(most, max(4, round(steps * batch / max(1, rows)))))


def literal(value):
    """A value as Python source, wrapped at 100 columns."""
    return pprint.pformat(value, width=90, compact=True, sort_dicts=False)


def call(mapping):
    """A dict as `dict(a=…)`, nested, in one line."""
    if not isinstance(mapping, dict):
        return repr(mapping)
    return 'dict(' + ', '.join(f'{key}={call(value)}' for key, value in mapping.items()) + ')'


def config_text(plan):
    """The whole file.

    Args:
        plan (FitPlan): What is to be trained on what.

    Returns:
        str: Python source; the same for the same plan.
    """
    backbone, out = BACKBONES[plan.backbone], plan.out
    epochs = epochs_for(plan.rows, plan.weak)
    lines = [
        '# Written by tcnn fit; change what you like and run it again:',
        '#',
        f'#   python tools/train.py {out}/config.py',
        f'#   python tools/test.py {out}/config.py {out}/run/epoch_{epochs}.pth',
        '#',
        f'# Data: {plan.said}.',
        *[f'# {role}: {count} pictures.' for role, count in plan.counts.items()],
        f'# Network: {plan.backbone}, weights {plan.weights.said}.',
        '_base_ = [',
        f"    'tcnn_mm::_base_/models/{backbone.config}',",
        "    'tcnn_mm::_base_/experiments/own_images.py',",
        ']',
        f'classes = {literal(tuple(plan.classes))}',
        'pictures = dict(',
        *[f'    {key}={value!r},' for key, value in plan.source.items()],
        '    metainfo=dict(classes=classes),',
        "    pipeline=[dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')],",
        ')',
        '# Lists of pictures, and features of their patches: computed once, by the first run.',
    ]
    for role in ('train', 'val', 'test'):
        bags = plan.weak and role == 'train'
        own = ''.join(f'{key}={value!r}, ' for key, value in plan.sources[role].items())
        lines += [
            f'{role}_dataloader = dict(',
            *([f'    batch_size={PICTURES_A_BATCH},'] if bags else []),
            '    dataset=dict(',
            f'        bank={f"{out}/banks/{role}"!r},',
            f'        source=dict(pictures, {own}ids={f"{out}/splits/{role}.txt"!r}),',
            *(['        test_mode=True,  # all windows of a picture together'] if bags else []),
            '    ),',
            ')',
        ]
    lines += ['model = dict(']
    for key, value in plan.weights.model.items():
        lines.append(f'    {key}={call(value)},')
    head = dict(num_classes=len(plan.classes), **plan.head)
    if plan.weak:
        head.update(background=False, dropout=0.0)
        lines += [
            "    type='tcnn_mm.WeakPatchClassifier',  # no boxes: the best window speaks",
            f'    head={call(head)},',
            '    sampler=dict(',
            '        _delete_=True,',
            "        type='tcnn_mm.ScaleSampler',",
            f"        grid=dict(type='tcnn_mm.PatchGrid', stride={backbone.window_step}),",
            '        base=1.0,',
            f'        factors={plan.scales},',
            '    ),',
            '    aggregator=None,  # the maximum',
        ]
    else:
        lines += [
            f'    head={call(head)},',
            *[f'    # {reason}' for reason in plan.reasons],
            f'    sampler=dict(grid=dict(scales={plan.scales})),',
        ]
    lines += [
        ')',
        f'# {plan.rows} {"pictures" if plan.weak else "patches"} to train on an epoch.',
        f'train_cfg = dict(max_epochs={epochs}, val_interval={epochs})',
        f'param_scheduler = dict(milestones=[{round(epochs * 0.65)}, {round(epochs * 0.9)}])',
        f'optim_wrapper = dict(optimizer=dict(lr={0.01 if plan.weak else backbone.lr}))',
        f'randomness = dict(seed={plan.seed})',
        # The toolbox writes a copy of the config into it, under the same name.
        f'work_dir = {f"{out}/run"!r}',
    ]
    if plan.weak:
        lines += [
            '# No patch has a label to report.',
            "custom_hooks = [h for h in _base_.custom_hooks if 'PatchReportHook' not in h['type']]",
        ]
    return '\n'.join(lines) + '\n'
