# VOC 2007 with the features of the training patches from a bank: all patches of all images are
# shuffled, as in the paper, and the network runs once. `tcnn train` makes the bank where it is
# absent. Leaves set `bank`, a folder.
_base_ = './voc07.py'
train_dataloader = dict(
    _delete_=True,
    batch_size=128,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.FeatureBank',
        flips=False,  # twice the cost of making it; the online configs flip
        source=dict(
            type='tcnn_mm.VOCObjects',
            data_root='{{$TCNN_DATA:data}}/VOCdevkit/VOC2007',
            split='trainval',
            pipeline=[dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')],
        ),
    ),
)
# The classes of the 1,907-image subset (voc07_subset/) with at least 100 test positives.
main_classes = ('bus', 'car', 'cat', 'person', 'train')
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc07', subset=main_classes),
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10', subset=main_classes),
    dict(type='tcnn_mm.PointLocalization', damping=20, subset=main_classes),
]
