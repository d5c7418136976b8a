"""Files that are whole or not there: arrays as npz, everything else as JSON, nothing as pickle.

Writing goes to a temporary name in the same folder, to the disk, and then, in one step, to the
final name: whoever is interrupted (a full disk, Ctrl-C, a power cut) keeps the previous file.
Reading believes no size that a file claims before that size agrees with the file's own.
"""

import errno
import glob
import io
import json
import math
import os
import stat
import time
import uuid
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from ..errors import DataError

# Numbers only: objects would be pickles, and texts and records belong into JSON.
KINDS = "biufc"

# What NumPy itself accepts for the text in front of the numbers (its ``max_header_size``), and
# the magic string, version and length before that text.
HEADER_LIMIT = 10_000 + 12

CHUNK = 1 << 20

# Seconds after which a temporary file belongs to nobody: whoever was killed cannot remove it.
LEFT_OVER = 3600


@contextmanager
def atomic_file(path):
    """Open a binary file that appears under its name only once it is complete.

    Parameters
    ----------
    path : path-like
        Its folder is made if need be.

    Yields
    ------
    file : binary file, readable and writable
        If the block raises, the previous file of that name stays and the new one is removed.

    Raises
    ------
    DataError
        If the folder or the disk refuses.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def save_arrays(path, arrays):
    """Write arrays into one uncompressed npz file, atomically.

    Equal arrays give equal bytes: the file holds no dates.

    Parameters
    ----------
    path : path-like
    arrays : dict of str to array
        Host arrays of numbers, of any shape.

    Raises
    ------
    ValueError
        If an array holds anything but numbers, or a name is not a text.
    DataError
        If the file cannot be written.
    """
    arrays = {name: np.asanyarray(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        if not isinstance(name, str) or array.dtype.kind not in KINDS:
            raise ValueError(
                f"array {name!r} has dtype {array.dtype}; expected a text as name and numbers "
                "as content; save anything else with save_json"
            )
    with atomic_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            # A bare ZipInfo carries the year 1980, where writestr would take today's date.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def load_arrays(path):
    """Read what :func:`save_arrays` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    arrays : dict of str to numpy.ndarray
        Together never larger than the file.

    Raises
    ------
    DataError
        If the file is missing, damaged, compressed, holds pickled objects, or claims a size
        that it does not have.
    """
    with _reading(path, "an npz file that cae_np.storage.save_arrays wrote") as file:
        size = os.fstat(file.fileno()).st_size
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len({member.filename for member in members}) != len(members):
                raise ValueError("two members share a name")
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("its members are compressed")
            # Members that overlap would let a small file unfold into a large one.
            if sum(member.file_size for member in members) > size:
                raise ValueError(f"its members claim more than the file's {size:,} bytes")
            return {
                member.filename.removesuffix(".npy"): _read_member(archive, member)
                for member in members
            }


def save_json(path, value):
    """Write a value as JSON, atomically.

    Parameters
    ----------
    path : path-like
    value : dict, list, str, number, bool, None
        May hold NumPy scalars, arrays (written as lists) and paths.

    Raises
    ------
    ValueError
        If it holds NaN or an infinity, which JSON does not know: store None.
    TypeError
        If it holds anything else that JSON does not know.
    DataError
        If the file cannot be written.
    """
    try:
        text = json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False, indent=1)
    except ValueError as error:
        raise ValueError(
            f"{path}: {error}; JSON knows neither NaN nor Infinity, store None instead"
        ) from error
    with atomic_file(path) as file:
        file.write(text.encode("utf-8") + b"\n")


def load_json(path):
    """Read a JSON file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    value : dict, list, str, int, float, bool or None

    Raises
    ------
    DataError
        If the file is missing, is not JSON in UTF-8, or holds NaN or an infinity.
    """
    with _reading(path, "a JSON file") as file:
        return json.loads(file.read().decode("utf-8"), parse_float=_finite, parse_constant=_finite)


def refused(path, error):
    """The error of whoever cannot write ``path``, made of the system's own."""
    remedy = "choose another folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = f"change its permissions, or {remedy}"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        remedy = f"make room there, or {remedy}"
    return DataError(f"cannot write {path} ({error.strerror or error}); {remedy}")


# --- helpers ----------------------------------------------------------------------------------


@contextmanager
def _reading(path, expected):
    """Open a regular file, and let every failure to make sense of it out as a DataError."""
    try:
        # Asked first, because opening a pipe would wait for whoever writes into it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is not a regular file")
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(
            f"{path} is missing; expected {expected}; run again what writes it"
        ) from error
    except PermissionError as error:
        raise DataError(
            f"{path} may not be read; expected {expected}; change its permissions"
        ) from error
    # zipfile, the literal parser behind NumPy's headers and json raise more than a dozen types
    # between them when they are fed arbitrary bytes.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"{path} cannot be read ({reason}); expected {expected}; "
            "delete it and run again what writes it"
        ) from error


def _sweep(path):
    """Remove what killed processes left when they wrote this file."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):  # somebody else sweeps as well, or may, where we may not
            if time.time() - leftover.stat().st_mtime > LEFT_OVER:
                leftover.unlink()


def _read_member(archive, member):
    """One array, allocated only after three sizes agree: the one that its header describes, the
    one that the directory declares, and the one that lies in the file."""
    if not member.filename.endswith(".npy"):
        raise ValueError(f"member {member.filename!r} is not an npy file")
    with archive.open(member) as file:
        head = io.BytesIO(file.read(min(member.file_size, HEADER_LIMIT)))
        version = np.lib.format.read_magic(head)
        if version == (1, 0):
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(head)
        elif version == (2, 0):
            shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(head)
        else:
            raise ValueError(f"member {member.filename!r} has npy version {version}")
        if dtype.kind not in KINDS:
            raise ValueError(f"member {member.filename!r} has dtype {dtype}, which is no number")
        described = head.tell() + math.prod(shape) * dtype.itemsize
        if described != member.file_size:
            raise ValueError(
                f"member {member.filename!r} describes {described:,} bytes (shape {shape}, "
                f"{dtype}) but holds {member.file_size:,}"
            )
        array = np.empty(shape[::-1] if fortran_order else shape, dtype)
        content = array.reshape(-1).view(np.uint8)
        start = head.readinto(content.data) if content.size else 0
        while start < content.size:
            read = file.readinto(content.data[start : start + CHUNK])
            if not read:
                raise ValueError(f"member {member.filename!r} ends early")
            start += read  # with the last byte zipfile compares the checksum
    return array.T if fortran_order else array


def _sync_folder(folder):
    """Put the new name itself on the disk, where the system knows how (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _plain(value):
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"JSON does not know {type(value).__name__} ({value!r})")


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value
