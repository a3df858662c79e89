# mmpretrain's ResNet-18 config, trained on labelled patches: only the data change.
#
#   tcnn train mixing/resnet18_labeled-patches_minivoc
#   tcnn test mixing/resnet18_labeled-patches_minivoc \
#       work_dirs/resnet18_labeled-patches_minivoc/epoch_100.pth
#
# Model, loss, schedule, hooks and metric are mmpretrain's: an ImageClassifier classifies one patch
# per image, drawn anew in each epoch. `accuracy/top1` counts patches; there are no votes.
# Expected: 62 % on val after 100 epochs, no more than background alone (38 of its 60 patches). 60
# scenes and random weights are too few for this schedule. With VOC and mmpretrain's weights
# (model.backbone.init_cfg): not measured.
# Time: about 3 minutes on one CPU core.
_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
objects = 6
patch = dict(
    type='tcnn_mm.RandomLabeledPatch',
    sampler=dict(
        type='tcnn_mm.PatchSampler',
        grid=dict(type='tcnn_mm.PatchGrid', size=64),
        labeler=dict(type='tcnn_mm.PatchLabeler', num_classes=objects),
    ),
)
# One output more than classes: background is the last.
model = dict(head=dict(num_classes=objects + 1, topk=(1,)))
data_preprocessor = dict(num_classes=objects + 1)
train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.MiniVOC',
        split='train',
        pipeline=[
            dict(type='tcnn_mm.LoadVOCObjects'),
            patch,
            dict(type='mmpretrain.RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='mmpretrain.PackInputs'),
        ],
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.MiniVOC',
        split='val',
        pipeline=[dict(type='tcnn_mm.LoadVOCObjects'), patch, dict(type='mmpretrain.PackInputs')],
    ),
)
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='mmpretrain.Accuracy', topk=(1,))
train_cfg = dict(val_interval=10)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
custom_hooks = [dict(type='tcnn_mm.EpochSeedHook')]
