# The embedded experiment from feature banks: seconds a training, so that many can be compared.
#
#   python tools/train.py configs/tcnn_minivoc_bank.py
#   python tools/test.py configs/tcnn_minivoc_bank.py work_dirs/tcnn_minivoc_bank/epoch_24.pth
#   python tools/learning_curve.py configs/tcnn_minivoc_bank.py --fractions 0.1,0.25,0.5,1
#
# FIGURE
# Not as tcnn_minivoc: batches mix patches of all scenes, which are 10 scenes' patches there.
_base_ = './_base_/experiments/tcnn_minivoc.py'
_bank = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=160,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.FeatureBank',
        bank='work_dirs/banks/tcnn_minivoc',
        source={{_base_.train_dataloader.dataset}},
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
train_cfg = dict(max_epochs=24)
param_scheduler = dict(milestones=[15, 21])
default_hooks = dict(checkpoint=dict(interval=24))
