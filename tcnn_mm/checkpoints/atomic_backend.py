"""mmengine's storage of local files, with writes that are complete or absent."""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from tcnn_mm.checkpoints.atomic_write import atomic_path

# Its name in mmengine's `backend_args=dict(backend=…)`.
ATOMIC = 'tcnn_mm.atomic'


class AtomicLocalBackend(LocalBackend):
    """Local files; one that is replaced stays until the new one is whole on disk."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file; its folder is made if absent.

        Raises:
            OSError: The disk is full, or the folder cannot be written; an older file stays.
        """
        with atomic_path(filepath, durable=True) as draft:
            super().put(obj, draft)


register_backend(ATOMIC, AtomicLocalBackend, force=True)
