# The same test from a bank of every window's features: another head, k or aggregator needs no
# network pass then.
#
#   python tools/test.py configs/mixing/tcnn_squeezenet_voc07_rescore.py CHECKPOINT
_base_ = './tcnn_squeezenet_voc07.py'
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.FeatureBank',
        bank='work_dirs/banks/tcnn_squeezenet_voc07_test-windows',
        test_mode=True,
        source={{_base_.test_dataloader.dataset}},
    ),
)
