"""Reading data files that may be anything: bounded in memory, clear about what is wrong."""

import gzip
import os
import stat
import zlib
from contextlib import contextmanager

from ..errors import DataError

GZIP_MAGIC = b"\x1f\x8b"

# Deflate cannot pack tighter than 258 bytes into two bits, so a gzip file of B bytes never holds
# more than 1032·B; a header that claims more is false, which costs nothing to find out.
GZIP_RATIO = 1032

# Never to delete it: it may be somebody's good copy of something else.
REMEDY = "move it away and fetch it again with --download"


@contextmanager
def open_content(path):
    """Open a data file for reading, through gzip where its first bytes are gzip's.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    stream : binary file
        The content, unpacked.
    capacity : int
        Bytes that the content can have at most; for a plain file the bytes that it has.

    Raises
    ------
    DataError
        If the file is missing, is not a regular file or may not be read, and, from within the
        block, if gzip finds it damaged.
    """
    try:
        # Asked first, because opening a pipe would wait for whoever writes into it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise DataError(f"{path} is not a file; expected a data file; {REMEDY}")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            if packed:
                with gzip.open(file) as stream:
                    yield stream, GZIP_RATIO * size
            else:
                yield file, size
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing; put it there, or fetch it with --download") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged (gzip: {error}); {REMEDY}") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}); check its permissions and its disk"
        ) from error


def read_into(stream, array):
    """Fill ``array`` from ``stream``.

    Parameters
    ----------
    stream : binary file
    array : numpy.ndarray of uint8, C-contiguous, modified

    Returns
    -------
    int
        Bytes read: fewer than ``array.size`` where the stream ends early.
    """
    content = array.reshape(-1)
    start = 0
    while start < content.size:
        read = stream.readinto(content[start : start + (1 << 20)].data)
        if not read:
            break
        start += read
    return start
