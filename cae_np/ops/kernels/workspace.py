"""Memory that is asked for again and again."""

import numpy as np


class Workspace:
    """Named buffers that are allocated once and used again, block after block, step after step.

    Fresh temporaries of 15-40 MB cost more in page faults than the arithmetic done in them.  A
    buffer's content is valid until the same name is asked for again, so nothing that is returned
    may lie in one.
    """

    def __init__(self):
        self._buffers = {}

    def get(self, name, shape, dtype, xp):
        """An uninitialised array; memory is shared by all requests of this name and dtype.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : dtype
        xp : module
            The array module that allocates.

        Returns
        -------
        array, shape ``shape``, C-contiguous
        """
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64))
        key = (name, dtype, xp)
        buffer = self._buffers.get(key)
        if buffer is None or buffer.size < size:
            del buffer
            self._buffers.pop(key, None)  # before the larger one is asked for
            buffer = self._buffers[key] = xp.empty(size, dtype)
        return buffer[:size].reshape(shape)

    @property
    def nbytes(self):
        """Bytes held, over all buffers."""
        return sum(buffer.nbytes for buffer in self._buffers.values())
