# The small AlexNet for 64-px patches; C1…FC7 come from our own source task and stay frozen.
model = dict(
    type='tcnn_mm.PatchClassifier',
    backbone=dict(type='tcnn_mm.TransferAlexNet', variant='small'),
    # Chosen on MiniVOC's val: FCa 512 and dropout 0.2 (the paper: 2048, 0.5) at lr 0.1.
    head=dict(
        type='tcnn_mm.AdaptationHead',
        num_classes=6,
        in_channels=256,
        hidden_channels=512,
        dropout=0.2,
    ),
    sampler=dict(
        type='tcnn_mm.PatchSampler',
        grid=dict(type='tcnn_mm.PatchGrid'),
        labeler=dict(type='tcnn_mm.PatchLabeler'),
        num_patches=16,
    ),
    aggregator=dict(type='tcnn_mm.PowerMeanAggregator', k=5),
    frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC6', 'FC7'),
    pretrained='tcnn_mm://minivoc_source.pth',
    chunk_size=256,
)
