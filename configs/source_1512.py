# The paper's best source task, 1512: ILSVRC's 1000 classes and the 512 under hoofed mammal,
# furniture, motor vehicle, public transport and bicycle; FC6 and FC7 are 6144 wide.
#
#   export TCNN_DATA=…     (holds imagenet/train/<wnid>, ILSVRC-2012, and imagenet22k/<wnid>)
#   python tools/train.py configs/source_1512.py --amp
#   python tools/model_converters/publish_model.py work_dirs/source_1512/epoch_N.pth \
#       $TCNN_WEIGHTS/source_1512.pth
#
# The list that ships (_base_/datasets/source_classes/1512.txt) is
#   python tools/dataset_converters/make_source_classes.py under --available imagenet22k.txt \
#       --base ilsvrc.txt \
#       --is-a wordnet.is_a.txt --out …
# It reports 276 + 165 + 48 + 18 + 5 new classes under the five nodes: the paper's counts exactly.
# Paper: 1.6 million pictures, 21.8 % top-5 error (accuracy/top5 78.2); VOC 2012 from it: 82.8 mAP,
# actions 68.4 and 70.2. Ours: not measured. 50 pictures a class are held out for validation.
_base_ = './_base_/experiments/source_1512.py'
