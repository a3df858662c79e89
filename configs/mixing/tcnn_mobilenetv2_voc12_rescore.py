# tcnn_mobilenetv2_voc12 with the features of all windows in banks.
# Another head, another aggregator and the baselines of compare_baselines.py need no pass of the
# network.
#
#   python tools/dataset_converters/extract_features.py \
#       configs/mixing/tcnn_mobilenetv2_voc12_rescore.py
#   tcnn test mixing/tcnn_mobilenetv2_voc12_rescore CHECKPOINT
#   python tools/analysis_tools/compare_baselines.py \
#       configs/mixing/tcnn_mobilenetv2_voc12_rescore.py --mode voc10
#
# Expected: as tcnn_mobilenetv2_voc12.
_base_ = './tcnn_mobilenetv2_voc12.py'
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        bank='work_dirs/banks/tcnn_mobilenetv2_voc12_train-windows', test_mode=True, flips=False
    ),
)
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='tcnn_mm.FeatureBank',
        bank='work_dirs/banks/tcnn_mobilenetv2_voc12_test-windows',
        test_mode=True,
        source={{_base_.test_dataloader.dataset}},
    ),
)
# `--server` is for tcnn_mobilenetv2_voc12: the bank of this test is of val.
server = None
