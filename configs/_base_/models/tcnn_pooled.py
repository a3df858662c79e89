# The method over a network whose last map is pooled; leaves give backbone, size and weights.
model = dict(
    type='tcnn_mm.PatchClassifier',
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(type='tcnn_mm.AdaptationHead', num_classes=20),
    sampler=dict(
        type='tcnn_mm.PatchSampler',
        grid=dict(type='tcnn_mm.PatchGrid', scales=(1.0, 1.3, 1.6, 2.0, 2.8, 4.0), overlap=0.6),
        labeler=dict(type='tcnn_mm.PatchLabeler'),
        num_patches=4,
    ),
    frozen=('backbone',),
    frozen_dtype='bfloat16',
)
