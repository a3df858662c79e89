# MobileNetV2 on annotations in COCO's format, here COCO 2017 itself.
# Boxes of 80 classes; crowds count as difficult.
#
#   export TCNN_DATA=…     (holds coco/annotations, coco/train2017, coco/val2017)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   tcnn train mixing/tcnn_mobilenetv2_coco --dry-run
#   tcnn train mixing/tcnn_mobilenetv2_coco
#   tcnn test mixing/tcnn_mobilenetv2_coco work_dirs/tcnn_mobilenetv2_coco/epoch_4.pth
#
# Expected: not measured, because COCO was unavailable.
# Time: the bank of 118,287 images takes 30 hours of one CPU core.
# For a data set of your own: data_root, ann_file, img_dir, num_classes; `tcnn fit` writes such a
# config.
_base_ = [
    '../_base_/models/tcnn_mobilenetv2.py',
    '../_base_/experiments/own_images.py',
]
images = dict(
    type='tcnn_mm.COCOObjects',
    data_root='{{$TCNN_DATA:data}}/coco',
    pipeline=[dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')],
)
model = dict(head=dict(num_classes=80))
train_dataloader = dict(
    dataset=dict(
        bank='work_dirs/banks/tcnn_mobilenetv2_coco',
        source=dict(images, ann_file='annotations/instances_train2017.json', img_dir='train2017'),
    )
)
test_dataloader = dict(
    dataset=dict(
        images,
        _delete_=True,
        ann_file='annotations/instances_val2017.json',
        img_dir='val2017',
        test_mode=True,
    )
)
val_dataloader = val_cfg = val_evaluator = None
train_cfg = dict(max_epochs=4)
param_scheduler = dict(milestones=[3, 4])
