# AlexNet of torchvision (one tower, 64-192-384-256-256; the paper's net is 96-256-384-384-256 with
# response normalisation: variant='krizhevsky'), C1…FC7 frozen, FCa 2048, FCb 20 + background.
model = dict(
    type='tcnn_mm.PatchClassifier',
    backbone=dict(type='tcnn_mm.TransferAlexNet', variant='torchvision'),
    head=dict(type='tcnn_mm.AdaptationHead', num_classes=20, in_channels=4096),
    sampler=dict(
        type='tcnn_mm.PatchSampler',
        grid=dict(type='tcnn_mm.PatchGrid'),
        labeler=dict(type='tcnn_mm.PatchLabeler'),
        # 32 images × 4 patches make a batch of 128 from many images.
        num_patches=4,
    ),
    aggregator=dict(type='tcnn_mm.PowerMeanAggregator', k=5),
    frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC6', 'FC7'),
    pretrained='{{$TCNN_WEIGHTS:checkpoints}}/alexnet-owt-7be5be79.pth',
)
