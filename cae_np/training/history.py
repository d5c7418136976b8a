"""The history of a training as a table, for whoever plots elsewhere."""

import csv
import io
import json

from .. import storage


def history_csv(history, path):
    """Write what :func:`cae_np.train` returned as comma-separated values.

    Parameters
    ----------
    history : list of dict
        An entry an epoch.
    path : path-like
        Written whole or not at all.

    Raises
    ------
    DataError
        If the file cannot be written.

    Notes
    -----
    A column for every name that occurs, in order of appearance; what an entry lacks stays empty,
    and what is no single value (``active_share``) is JSON.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cae_np import history_csv
    >>> history_csv([{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 1.5}], "history.csv")
    >>> print(Path("history.csv").read_text())
    epoch,loss
    1,2.5
    2,1.5
    <BLANKLINE>
    """
    columns = list(dict.fromkeys(name for entry in history for name in entry))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for entry in history:
        values = (entry.get(name, "") for name in columns)
        table.writerow(json.dumps(v) if isinstance(v, (list, dict)) else v for v in values)
    with storage.atomic_file(path) as file:
        file.write(text.getvalue().encode())
