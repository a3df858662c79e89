# The method over a network whose last map is pooled, in dense mode; leaves set backbone, size
# and weights. A patch every 96 pixels of the resized image: about 350 per image.
model = dict(
    type='tcnn_mm.PatchClassifier',
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(type='tcnn_mm.AdaptationHead', num_classes=20),
    sampler=dict(
        type='tcnn_mm.PatchSampler',
        grid=dict(type='tcnn_mm.PatchGrid', stride=96),
        labeler=dict(type='tcnn_mm.PatchLabeler'),
    ),
    frozen=('backbone',),
    frozen_dtype='bfloat16',
    feature_mode='dense',
)
