"""Arrays and small values as bytes, for the line between the grader and a submission's process.

A message is a header in JSON and the arrays' bytes behind it.  Nothing is unpickled, and what does
not fit together is refused: the other end may be a stranger.
"""

import json
import math
import re
import struct

import numpy as np

MOST = 1 << 26  # bytes of one message
HEADER = 1 << 20  # of them, of its header
START = struct.Struct("<QI")  # bytes of the header and the arrays, bytes of the header
NUMBERS = re.compile(r"[<>|][biuf]\d{1,2}")


def packed(header, arrays=()):
    """A message as bytes.

    Parameters
    ----------
    header : dict for JSON
    arrays : sequence of arrays
        Their strides travel along, so that they lie the same way in the other process's memory.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If it is too long.
    """
    described = [{"dtype": a.dtype.str, "shape": a.shape, "strides": a.strides} for a in arrays]
    text = json.dumps(header | {"arrays": described}, allow_nan=False).encode()
    data = b"".join(a.tobytes() for a in arrays)
    if len(text) + len(data) > MOST or len(text) > HEADER:
        raise ValueError(f"{len(text) + len(data):,} bytes are more than {MOST:,}")
    return START.pack(len(text) + len(data), len(text)) + text + data


def lengths(start):
    """How many bytes follow the first ones, and how many of them are the header.

    Raises
    ------
    ValueError
        If they are too many.
    """
    whole, header = START.unpack(start)
    if whole > MOST or header > min(whole, HEADER):
        raise ValueError(f"a message of {whole:,} bytes with a header of {header:,}")
    return whole, header


def unpacked(body, header_length):
    """``(header, arrays)`` of a message.

    Raises
    ------
    ValueError
        If it is no message.
    """
    try:
        header = json.loads(body[:header_length])
        arrays, position = [], header_length
        for described in header.pop("arrays"):
            array, position = _array(body, position, **described)
            arrays.append(array)
    except (KeyError, TypeError, AttributeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"no message: {type(error).__name__}") from error
    return header, arrays


def _array(body, position, dtype, shape, strides):
    if not NUMBERS.fullmatch(dtype) or len(shape) > 32 or len(strides) != len(shape):
        raise ValueError(f"no array: {dtype!r}, {len(shape)} axes")
    if not all(type(n) is int for n in (*shape, *strides)) or min(shape, default=0) < 0:
        raise ValueError("no array: its sizes are no whole numbers")
    dtype = np.dtype(dtype)
    end = position + math.prod(shape) * dtype.itemsize
    if end > len(body):
        raise ValueError("no array: bytes are missing")
    values = np.frombuffer(body, dtype, math.prod(shape), position).reshape(shape)
    return _laid_out(values, strides), end


def _laid_out(values, strides):
    """A copy that lies in memory with these strides."""
    reach = [s * (n - 1) for n, s in zip(values.shape, strides, strict=True)]
    size = sum(abs(r) for r in reach) + values.itemsize
    if values.size == 0 or size > MOST:
        return values.copy()
    offset = -sum(r for r in reach if r < 0)
    array = np.ndarray(
        values.shape, values.dtype, bytearray(size), offset=offset, strides=tuple(strides)
    )
    array[...] = values
    return array


# --- arguments ------------------------------------------------------------------------------------


def sorted_out(arguments):
    """A call's arguments as ``(places, arrays, functions)``; places are for JSON."""
    places, arrays, functions = [], [], []
    for argument in arguments:
        if isinstance(argument, (np.ndarray, np.generic)):
            places.append({"number" if isinstance(argument, np.generic) else "array": len(arrays)})
            arrays.append(np.asarray(argument))
        elif callable(argument):
            places.append({"function": len(functions)})
            functions.append(argument)
        elif isinstance(argument, tuple):
            places.append({"tuple": [int(n) for n in argument]})
        else:
            places.append({"value": argument})
    return places, arrays, functions


def put_together(places, arrays, function):
    """The arguments again; ``function(i)`` stands for the i-th function among them."""
    arguments = []
    for place in places:
        ((kind, value),) = place.items()
        make = {
            "number": lambda i: arrays[i][()],
            "array": lambda i: arrays[i],
            "function": function,
            "tuple": tuple,
            "value": lambda value: value,
        }[kind]
        arguments.append(make(value))
    return tuple(arguments)
