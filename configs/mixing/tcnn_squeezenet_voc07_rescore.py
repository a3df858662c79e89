# The same test from a bank of every window's features: another seed's head, another k or
# aggregator, or the baselines (compare_baselines.py) need no network pass then.
#
#   python tools/dataset_converters/extract_features.py \
#       configs/mixing/tcnn_squeezenet_voc07_rescore.py
#   python tools/test.py configs/mixing/tcnn_squeezenet_voc07_rescore.py CHECKPOINT
#   python tools/analysis_tools/compare_baselines.py configs/mixing/tcnn_squeezenet_voc07_rescore.py
_base_ = './tcnn_squeezenet_voc07.py'
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        bank='work_dirs/banks/tcnn_squeezenet_voc07_train-windows', test_mode=True, flips=False
    ),
)
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
