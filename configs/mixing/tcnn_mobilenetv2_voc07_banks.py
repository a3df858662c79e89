# MobileNetV2 with the training patches and all test windows in banks: a head's training and test
# take about two minutes, so that many can be compared.
#
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_voc07_banks.py
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_voc07_banks.py CHECKPOINT
#   python tools/analysis_tools/learning_curve.py configs/mixing/tcnn_mobilenetv2_voc07_banks.py
#
# The same figures as tcnn_mobilenetv2_voc07, whose heads these are.
_base_ = './tcnn_mobilenetv2_voc07_rescore.py'
train_dataloader = dict(
    batch_size=128, dataset=dict(bank='work_dirs/banks/tcnn_mobilenetv2_voc07', test_mode=False)
)
