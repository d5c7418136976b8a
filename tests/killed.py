"""Computing a cell in a process that dies at a chosen moment; other processes import this."""

import os
import signal
import zipfile

from cae_np.experiments.frame import cells

# Within the writing of a checkpoint: some arrays are written, all are on the disk, it has its name.
MOMENTS = ("half written", "before the sync", "before the rename", "after the rename")


def compute(job, ready, moment=None, which=1):
    """Compute a cell; die by SIGKILL at the ``which``-th ``moment``, if one is given.

    Parameters
    ----------
    job : Job
    ready : multiprocessing.connection.Connection
        Gets a message when the computing begins.
    moment : {one of MOMENTS, "outside"}, optional
        "outside": somebody else will kill us.
    which : int
    """
    left = which

    def dying(function, before):
        def wrapped(*args, **kwargs):
            nonlocal left
            left -= 1
            if before and left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    if moment == "half written":
        zipfile.ZipFile.open = dying(zipfile.ZipFile.open, before=False)
    elif moment == "before the sync":
        os.fsync = dying(os.fsync, before=True)
    elif moment is not None and moment.endswith("rename"):
        os.replace = dying(os.replace, before=moment.startswith("before"))
    ready.send("begins")
    cells.run_cell(job)
