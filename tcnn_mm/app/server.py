"""Serve the page of a checkpoint until it is stopped."""

import contextlib
import ipaddress
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from tcnn_mm.app.page import CSS, build_page
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer

HOST, PORTS = '127.0.0.1', range(7860, 7960)
# Bytes of one upload. What an image may declare is bounded by `limits`, as for every command.
MOST_BYTES = 100_000_000
WAITING = 20  # calls that wait for the model; more are refused
# Read by Gradio and its libraries when they are imported: nothing is sent anywhere.
QUIET = dict(
    GRADIO_ANALYTICS_ENABLED='False',
    HF_HUB_DISABLE_TELEMETRY='1',
    HF_HUB_OFFLINE='1',
    DO_NOT_TRACK='1',
)


def require_gradio() -> None:
    """Raise a UserError where Gradio is missing or older than 6."""
    try:
        import gradio
    except ImportError as error:
        raise UserError(f"the page needs gradio ({error}): pip install 'tcnn_mm[app]'") from error
    if int(gradio.__version__.partition('.')[0]) < 6:
        raise UserError(
            f"the page needs gradio ≥ 6, found {gradio.__version__}: pip install 'tcnn_mm[app]'"
        )


@contextlib.contextmanager
def serving(
    inferencer: TCNNInferencer, name: str, host: str = HOST, port: int | None = None
) -> Iterator[str]:
    """Serve the page of a model in threads of this process; gives its address.

    Uploads are kept in a temporary folder that ends with it.

    Args:
        inferencer: The trained model.
        name: Of the checkpoint, for the heading.
        host: Name or address to listen on.
        port: Defaults to the first free one from 7860 on.

    Raises:
        UserError: Gradio is missing; a model of persons' boxes; a port that is taken.
    """
    if inferencer.needs_boxes:
        raise UserError(
            f"{printable(name)}: scores one square around a person's box, which the page has no "
            'field for; use TCNNInferencer with boxes=[…]'
        )
    with (
        tempfile.TemporaryDirectory(prefix='tcnn_app_') as folder,
        _environment(QUIET | dict(GRADIO_TEMP_DIR=folder)),
    ):
        require_gradio()
        page = build_page(inferencer, printable(name))
        page.queue(max_size=WAITING)
        try:
            yield _launch(page, host, port)
        finally:
            page.close(verbose=False)


def serve(
    checkpoint: str,
    *,
    config: str | None = None,
    host: str = HOST,
    port: int | None = None,
    device: str | None = None,
    trust: bool = False,
) -> None:
    """Serve the page of a checkpoint until Ctrl-C.

    Args: as of :func:`serving` and :class:`TCNNInferencer`.

    Raises:
        UserError: See :func:`serving`; a checkpoint that cannot be used.
        KeyboardInterrupt: When it is stopped.
    """
    import threading

    inferencer = TCNNInferencer(config, checkpoint, device, trust=trust)
    with serving(inferencer, checkpoint, host, port) as address:
        print(f'{address}   (Ctrl-C ends it; the HTTP API is described at the foot of the page)')
        if not is_loopback(host):
            print(
                f'listening on {host}: everybody who reaches this machine can use the page; it has '
                'no password'
            )
        threading.Event().wait()


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _launch(page: Any, host: str, port: int | None) -> str:
    """Start the server; its address."""
    import gradio

    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            inbrowser=False,
            inline=False,
            prevent_thread_lock=True,
            show_error=True,
            max_file_size=MOST_BYTES,
            footer_links=['api'],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            # Fonts of the reader's system: Gradio's own are fetched from Google where missing.
            theme=gradio.themes.Default(font='sans-serif', font_mono='monospace'),
            css=CSS,
        )
    except OSError as error:
        wanted = f'port {port}' if port else f'a port from {PORTS[0]} to {PORTS[-1]}'
        raise UserError(
            f'cannot listen on {host}, {wanted} ({error}); give another --port or --host'
        ) from error
    return address


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables of the process, and put them back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
