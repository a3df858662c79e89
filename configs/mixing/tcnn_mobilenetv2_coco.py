# MobileNetV2 on annotations in COCO's format, read by mmdet's CocoDataset: here COCO 2017 itself,
# boxes of 80 classes; crowds count as difficult.
#
#   export TCNN_DATA=…     (holds coco/annotations, coco/train2017, coco/val2017)
#   export TCNN_WEIGHTS=…  (holds mobilenet_v2_tf2_int8deq_imagenet.pth)
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_coco.py --dry-run
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_coco.py
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_coco.py \
#       work_dirs/tcnn_mobilenetv2_coco/epoch_4.pth
#
# Not measured: COCO was not at hand. The bank of 118,287 pictures is 30 hours of one CPU core. For
# a set of your own: data_root, ann_file, img_dir, num_classes; tcnn fit writes such a config.
_base_ = [
    '../_base_/models/tcnn_mobilenetv2.py',
    '../_base_/experiments/own_pictures.py',
]
pictures = dict(
    type='tcnn_mm.COCOObjects',
    data_root='{{$TCNN_DATA:data}}/coco',
    pipeline=[dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')],
)
model = dict(head=dict(num_classes=80))
train_dataloader = dict(
    dataset=dict(
        bank='work_dirs/banks/tcnn_mobilenetv2_coco',
        source=dict(pictures, ann_file='annotations/instances_train2017.json', img_dir='train2017'),
    )
)
test_dataloader = dict(
    dataset=dict(
        pictures,
        _delete_=True,
        ann_file='annotations/instances_val2017.json',
        img_dir='val2017',
        test_mode=True,
    )
)
val_dataloader = val_cfg = val_evaluator = None
train_cfg = dict(max_epochs=4)
param_scheduler = dict(milestones=[3, 4])
