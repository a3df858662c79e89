# tcnn_mobilenetv2_voc07 with the whole picture's own head fused with the votes (not in the paper).
#
#   python tools/train.py configs/mixing/tcnn_mobilenetv2_voc07_context.py
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_voc07_context.py \
#       work_dirs/tcnn_mobilenetv2_voc07_context/epoch_12.pth
#
# Mean voc07 AP of bus, car, cat, person, train on the 1,907-picture subset: 95.0 (94.8–95.2, 6
# seeds; 94.98 to the second digit); 3 seeds with the paper's k = 5 and weight 0.15: 94.8
# (94.7–95.0), without the context 94.1 (93.9–94.3). Time as for tcnn_mobilenetv2_voc07.
# Maximum and weight were chosen on train → val (3 seeds): 93.4, where k = 5 has 93.0 at its best
# weight and votes alone 91.6. The bank is that of tcnn_mobilenetv2_voc07. The best patch's votes
# alone, 94.1 (93.8–94.4): --cfg-options model.context.weight=0
# From the bank of test windows:
#   python tools/test.py configs/mixing/tcnn_mobilenetv2_voc07_rescore.py CHECKPOINT \
#       --cfg-options model.context.type=tcnn_mm.ContextHead model.context.weight=0.2 \
#       model.aggregator.type=tcnn_mm.MaxAggregator
_base_ = './tcnn_mobilenetv2_voc07.py'
model = dict(
    context=dict(type='tcnn_mm.ContextHead', weight=0.2),
    aggregator=dict(type='tcnn_mm.MaxAggregator'),
)
train_dataloader = dict(dataset=dict(context=True))
