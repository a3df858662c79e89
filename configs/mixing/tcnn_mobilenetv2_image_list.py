# MobileNetV2 on image labels alone: CSV files of rows `file,label[,label…]`, no boxes.
# Max-pooled multiple-instance learning on a bank with the features of all windows.
#
#   export TCNN_DATA=…     (holds image_list/train.csv, image_list/test.csv and the images)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   tcnn train mixing/tcnn_mobilenetv2_image_list
#   tcnn test mixing/tcnn_mobilenetv2_image_list \
#       work_dirs/tcnn_mobilenetv2_image_list/epoch_40.pth
#
# Expected: not measured. On MiniVOC (embedded, its own small network, voc10 mAP) a head on a bank
# has 82.4 and 82.5 (2 seeds). Online training with flips and a new scale per batch
# (tcnn_minivoc_weak) has 84.9, and runs the network in every epoch. One folder per class:
# ImageList without ann_file.
_base_ = [
    '../_base_/models/tcnn_mobilenetv2.py',
    '../_base_/experiments/own_images.py',
]
classes = ('indoor', 'outdoor', 'people')
images = dict(
    type='tcnn_mm.ImageList',
    data_root='{{$TCNN_DATA:data}}/image_list',
    metainfo=dict(classes=classes),
    pipeline=[dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')],
)
model = dict(
    type='tcnn_mm.WeakPatchClassifier',
    head=dict(num_classes=3, background=False, dropout=0.0),
    sampler=dict(
        _delete_=True,
        type='tcnn_mm.ScaleSampler',
        grid=dict(type='tcnn_mm.PatchGrid', stride=32),
    ),
)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        bank='work_dirs/banks/tcnn_mobilenetv2_image_list',
        test_mode=True,
        source=dict(images, ann_file='train.csv'),
    ),
)
test_dataloader = dict(dataset=dict(images, _delete_=True, ann_file='test.csv', test_mode=True))
val_dataloader = val_cfg = val_evaluator = None
train_cfg = dict(max_epochs=40)
param_scheduler = dict(milestones=[26, 36])
# No patch has a label to report.
custom_hooks = [h for h in _base_.custom_hooks if 'PatchReportHook' not in h['type']]
