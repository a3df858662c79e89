# The paper's source task 1000R: 1000 classes drawn at random from all of ImageNet.
#
#   export TCNN_DATA=…     (holds imagenet22k/<wnid>/*.JPEG, the autumn 2011 release)
#   python tools/train.py configs/source_1000r.py --amp
#   python tools/model_converters/publish_model.py work_dirs/source_1000r/epoch_N.pth \
#       $TCNN_WEIGHTS/source_1000r.pth
#
# The list that ships (_base_/datasets/source_classes/1000r.txt) is
#   python tools/dataset_converters/make_source_classes.py random --available imagenet22k.txt \
#       --seed 0 --out …
# of the release's 21,841 wnids; 43 of its classes are ILSVRC's. The paper's own draw is not known.
# Another list: --cfg-options train_dataloader.dataset.class_list=…, and the same of val_ and
# test_dataloader; another count also as num_classes of each and of model.head.
# Paper: about 0.9 million pictures, no error rate given; VOC 2012 from it: 76.3 mAP. Ours: not
# measured. 50 pictures a class (at most a fifth) are held out for validation.
_base_ = './_base_/experiments/source_1000r.py'
