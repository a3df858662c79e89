"""Show a trained checkpoint in the browser: drop an image, see labels, maps and best patches.

    tcnn app --checkpoint model.pth
    tcnn app --checkpoint model.pth --port 8000 --host 0.0.0.0

The page is at http://127.0.0.1:7860 (or the next free port) for this machine alone; `--host`
opens it to others, without a password. It needs no internet and sends nothing anywhere. Its HTTP
API (`/predict`, `/show`; for gradio_client, curl, JavaScript) is described at its foot and in
docs/predict_and_export.md. Uploads are deleted when the command ends (Ctrl-C), or after an hour.
Images are limited as everywhere (TCNN_MAX_PIXELS, TCNN_MAX_PATCHES), files to 100 MB.
Needs pip install 'tcnn_mm[app]'.
"""

import argparse

from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The checkpoint, and where to listen."""
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--config', help='for a checkpoint that holds none')
    parser.add_argument(
        '--host', default='127.0.0.1', help='address to listen on; default: 127.0.0.1'
    )
    parser.add_argument(
        '--port', type=whole(1, 65535), help='default: the first free one from 7860 on'
    )
    parser.add_argument('--device', help="default: 'cuda' where there is a GPU, else 'cpu'")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C."""
    from tcnn_mm.app.server import serve

    serve(
        args.checkpoint,
        config=args.config,
        host=args.host,
        port=args.port,
        device=args.device,
        trust=args.trust_checkpoint,
    )
