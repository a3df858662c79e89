"""Export a trained checkpoint: its patch or dense network to ONNX or torch.export, checked.

    python tools/model_converters/export_model.py work_dirs/tcnn_minivoc/epoch_100.pth \\
        --out patch.onnx
    python tools/model_converters/export_model.py CHECKPOINT --part dense --format torch-export \\
        --out dense.pt2

`--part patch`: (B, 3, S, S) → (B, K+1) scores, any B. `--part dense`: one picture, resized as the
grid's scale λ says (sides S + stride · n), → (h, w, K+1) scores of the windows that start at every
`stride` pixels. In both float32 RGB 0–255 goes in; the file says classes, sizes and grid (ONNX
metadata `tcnn_mm`, torch.export's extra file `tcnn_mm.json`). A picture's score is the aggregator
of its patches' scores (mean of y^5), which stays yours to write: docs/predict_and_export.md.
The written file is run on several sizes and must agree to 1e-4. ONNX needs: pip install '.[export]'
"""

import argparse
import os.path as osp

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.errors import UserError
from tcnn_mm.export.export_model import FORMATS, describe, export, need_packages
from tcnn_mm.export.plain_networks import plain_network
from tcnn_mm.inference.trained_model import load_trained_model


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint')
    parser.add_argument('--config', help='for a checkpoint that holds none')
    parser.add_argument('--out', required=True, help='the file to write')
    parser.add_argument('--format', choices=FORMATS, default='onnx')
    parser.add_argument('--part', choices=['patch', 'dense'], default='patch')
    parser.add_argument('--trust-checkpoint', action='store_true', help='unpickle it fully')
    return parser.parse_args()


def main():
    args = parse_args()
    need_packages(args.format)
    trained = load_trained_model(
        args.checkpoint, args.config, device='cpu', trust=args.trust_checkpoint
    )
    try:
        network = plain_network(trained.model, args.part)
    except ValueError as error:  # e.g. attention: no windows of a shared map
        raise UserError(f'{args.checkpoint}: no dense network: {error}') from error
    facts = describe(trained, network, args.part)
    if args.part == 'dense' and trained.record['feature_mode'] == 'crop':
        print(
            'trained in crop mode: a window of the dense network sees its neighbourhood where a '
            'cropped patch sees padding, so scores are not quite those of the patches'
        )
    if trained.model.context is not None:
        print(
            "the whole picture's own head (context) is not in the file: these are the votes alone"
        )
    rows = export(network, args.part, args.out, args.format, facts['size'], facts)
    for shape, difference in rows:
        print(f'{" × ".join(map(str, shape))}: largest difference of a score {difference:.1e}')
    size = osp.getsize(args.out) / 1e6
    print(f'{args.out}: {args.part} network, {size:.1f} MB; outputs {", ".join(facts["outputs"])}')


if __name__ == '__main__':
    run_tool(main)
