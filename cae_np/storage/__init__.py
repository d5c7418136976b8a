"""What lies on a disk: arrays as npz and everything else as JSON, whole or not at all; locks."""

from .files import (
    CHUNK,
    HEADER_LIMIT,
    KINDS,
    LEFT_OVER,
    atomic_file,
    load_arrays,
    load_json,
    refused,
    save_arrays,
    save_json,
)
from .locks import only_one
