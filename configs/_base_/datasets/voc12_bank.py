# VOC 2012 with the features of the training patches from a bank, as in voc07_bank.py. Leaves set
# `bank`, a folder, here and under `server`, whose training set is another one.
_base_ = './voc12.py'
train_dataloader = dict(
    _delete_=True,
    batch_size=128,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='tcnn_mm.pseudo_collate'),
    dataset=dict(
        type='tcnn_mm.FeatureBank',
        flips=False,  # twice the cost of making it; the online configs flip
        source={{_base_.train_dataloader.dataset}},
    ),
)
server = dict(
    train_dataloader=dict(_delete_=True, dataset=dict(source=dict(split='trainval'))),
)
# The classes of the 250 + 250-image subset (voc12_subset/) with at least 15 positives in val.
main_classes = ('cat', 'cow', 'dog', 'horse', 'person', 'sheep')
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10', subset=main_classes),
    # damping chosen on VOC2007's and MiniVOC's val (0 is the paper's map).
    dict(type='tcnn_mm.PointLocalization', damping=20, subset=main_classes),
]
