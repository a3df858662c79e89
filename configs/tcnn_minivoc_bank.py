# The embedded experiment from feature banks: a training takes a minute.
#
#   tcnn train tcnn_minivoc_bank
#   tcnn test tcnn_minivoc_bank work_dirs/tcnn_minivoc_bank/epoch_90.pth
#   python tools/analysis_tools/learning_curve.py configs/tcnn_minivoc_bank.py \
#       --fractions 0.1,0.25,0.5,1
#
# Expected, 3 seeds: voc10 mAP on test 94.8 (94.6–95.0), pointing AP 90.8 (90.1–91.5).
# Time: about a minute for the banks, one for the head.
# Not as in tcnn_minivoc: trained on trainval (120 scenes), batches mix patches of all scenes, and
# ten times the steps. To choose settings: train_dataloader.dataset.source.split=train,
# test_dataloader.dataset.source.split=val, and other folders for the banks.
_base_ = './_base_/experiments/tcnn_minivoc.py'
_bank = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=160,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.FeatureBank',
        bank='work_dirs/banks/tcnn_minivoc',
        flips=True,
        source=dict(
            type='tcnn_mm.MiniVOC', task='target', split='trainval', pipeline={{_base_.pipeline}}
        ),
    ),
    **_bank,
)
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.FeatureBank',
        bank='work_dirs/banks/tcnn_minivoc_test-windows',
        test_mode=True,
        source={{_base_.test_dataloader.dataset}},
    ),
    **_bank,
)
# Chosen on train → val (half the rows): the paper's FCa and no dropout, given more steps.
model = dict(head=dict(hidden_channels=2048, dropout=0.0))
train_cfg = dict(max_epochs=90)
param_scheduler = dict(milestones=[54, 77])
default_hooks = dict(checkpoint=dict(interval=90))
