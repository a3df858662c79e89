"""The devkit's evaluation from files, literally, as the oracle of other tests.

VOCevalcls.m, VOCevalaction.m and VOCap.m of VOC2012, loop by loop: the ground truth is the class
file, results are looked up line by line, AP is the area under the curve.
"""

import numpy as np


def voc_ap_area(rec, prec):
    """VOCap.m: nan, from 0/0 at the start, is passed over by MATLAB's max."""
    mrec, mpre = [0.0, *rec, 1.0], [0.0, *prec, 0.0]
    for i in range(len(mpre) - 2, -1, -1):
        mpre[i] = np.fmax(mpre[i], mpre[i + 1])
    return sum(
        (mrec[i] - mrec[i - 1]) * mpre[i] for i in range(1, len(mrec)) if mrec[i] != mrec[i - 1]
    )


def evaluate(class_file, result_file):
    """AP of one class from two files; keys are all columns but the last."""
    keys, gt = [], []
    for line in open(class_file):  # noqa: SIM115
        *key, label = line.split()
        keys.append('/'.join(key))
        gt.append(int(label))
    out = [-np.inf] * len(gt)
    for line in open(result_file):  # noqa: SIM115
        *key, confidence = line.split()
        (j,) = [i for i, known in enumerate(keys) if known == '/'.join(key)]
        out[j] = float(confidence)
    order = sorted(range(len(out)), key=lambda i: -out[i])
    tp = fp = 0
    rec, prec = [], []
    for i in order:
        tp += gt[i] > 0
        fp += gt[i] < 0
        rec.append(tp / sum(g > 0 for g in gt))
        prec.append(tp / (fp + tp) if fp + tp else np.nan)
    return voc_ap_area(rec, prec)
