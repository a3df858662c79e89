# Faster R-CNN of mmdet on C1…C5 of the paper's network: one map of stride 16, as in Fast R-CNN.
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   tcnn train mixing/faster-rcnn_alexnet_voc07
#   tcnn test mixing/faster-rcnn_alexnet_voc07 work_dirs/faster-rcnn_alexnet_voc07/epoch_12.pth
#
# A checkpoint of ours instead: --cfg-options model.backbone.pretrained=work_dirs/…/epoch_120.pth
# Needs mmcv's compiled operations (mmcv._ext): see docs/mixing.md. mmdet's own tools run it too.
# Expected figure and time: not measured; run for a few steps on drawn images.
# The two layers of the box head start at random, not from FC6 and FC7. lr and weight decay are
# Fast R-CNN's for this network.
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    'mmdet::_base_/datasets/voc0712.py',
    'mmdet::_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(pad_size_divisor=1),
    backbone=dict(
        _delete_=True,
        type='tcnn_mm.TransferAlexNet',
        variant='torchvision',
        out_layers=('C5',),
        pretrained='{{$TCNN_WEIGHTS:checkpoints}}/alexnet-owt-7be5be79.pth',
    ),
    neck=None,
    rpn_head=dict(
        # The network's poolings do not pad: cell i looks at pixel 16 i + 15.
        anchor_generator=dict(scales=[2, 4, 8, 16, 32], strides=[16], centers=[(15, 15)]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(output_size=6), featmap_strides=[16]),
        bbox_head=dict(roi_feat_size=6, fc_out_channels=4096, num_classes=20),
    ),
)
_voc07 = dict(
    type='mmdet.VOCDataset',
    data_root='{{$TCNN_DATA:data}}/VOCdevkit/',
    data_prefix=dict(sub_data_root='VOC2007/'),
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        filter_cfg=dict(filter_empty_gt=True, min_size=32, bbox_min_size=32),
        pipeline={{_base_.train_pipeline}},
        **_voc07,
    )
)
val_dataloader = dict(dataset=_voc07)
test_dataloader = val_dataloader
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4)
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=12)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[8, 11], gamma=0.1)
