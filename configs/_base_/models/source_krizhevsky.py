# Krizhevsky's network with FC8 as a classifier of mmpretrain (paper, sec. 1). Its input is RGB
# minus the mean; a transfer from its weights needs the same `backbone.preprocessing`.
pixel_mean = [123.675, 116.28, 103.53]
pixel_std = [1.0, 1.0, 1.0]
model = dict(
    type='mmpretrain.ImageClassifier',
    backbone=dict(
        type='tcnn_mm.TransferAlexNet',
        variant='krizhevsky',
        preprocessing=dict(mean=pixel_mean, std=pixel_std, channel_order='rgb'),
    ),
    head=dict(
        type='tcnn_mm.DropoutLinearClsHead',
        num_classes=1000,
        in_channels=4096,
        topk=(1, 5),
    ),
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=pixel_mean, std=pixel_std, to_rgb=True
    ),
)
