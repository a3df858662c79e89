# tcnn_mobilenetv2_voc07 with the training patches and all test windows in banks.
# Training and test of a head take about two minutes.
#
#   tcnn train mixing/tcnn_mobilenetv2_voc07_banks
#   tcnn test mixing/tcnn_mobilenetv2_voc07_banks CHECKPOINT
#   python tools/analysis_tools/learning_curve.py configs/mixing/tcnn_mobilenetv2_voc07_banks.py
#
# Expected: as tcnn_mobilenetv2_voc07, whose heads these are.
_base_ = './tcnn_mobilenetv2_voc07_rescore.py'
train_dataloader = dict(
    batch_size=128, dataset=dict(bank='work_dirs/banks/tcnn_mobilenetv2_voc07', test_mode=False)
)
