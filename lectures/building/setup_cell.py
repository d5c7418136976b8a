"""The first cell of every lecture, which makes sure that the package is there; here once for all.

In a source stands ``# setup`` in its place.  Readers see it folded.
"""

# What pip installs where a notebook was opened alone: a name or an address, once there is one.
# Until then the cell says in a sentence what to type.
SOURCE = None
MARK = "# setup"
METADATA = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
CELL = f'''try:
    import cae_np
except ModuleNotFoundError:  # this notebook was opened alone
    import os
    from pathlib import Path

    source = os.environ.get("CAE_SOURCE") or (".." if Path("../cae_np").is_dir() else {SOURCE!r})
    if source is None:
        raise ModuleNotFoundError(
            "cae_np is not installed: type  %pip install FOLDER  into a cell, where FOLDER is your "
            "copy of the project or a wheel of it, run that, and begin again"
        ) from None
    %pip install --quiet "{{source}}"'''
