# tcnn_efficientnet-lite0_voc07 with the features of all windows in banks.
# Another head, another aggregator and the baselines of compare_baselines.py need no pass of the
# network.
#
#   python tools/dataset_converters/extract_features.py \
#       configs/mixing/tcnn_efficientnet-lite0_voc07_rescore.py
#   tcnn test mixing/tcnn_efficientnet-lite0_voc07_rescore CHECKPOINT
#   python tools/analysis_tools/compare_baselines.py \
#       configs/mixing/tcnn_efficientnet-lite0_voc07_rescore.py
#
# Expected: as tcnn_efficientnet-lite0_voc07.
_base_ = './tcnn_efficientnet-lite0_voc07.py'
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        bank='work_dirs/banks/tcnn_efficientnet-lite0_voc07_train-windows',
        test_mode=True,
        flips=False,
    ),
)
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.FeatureBank',
        bank='work_dirs/banks/tcnn_efficientnet-lite0_voc07_test-windows',
        test_mode=True,
        source={{_base_.test_dataloader.dataset}},
    ),
)
