"""Submissions, written where a test wants them."""

import json
import textwrap

import pytest


@pytest.fixture
def submit(tmp_path):
    """Write a submission; a notebook from a list of cells."""

    def write(source, name="exercises"):
        if isinstance(source, str):
            path = tmp_path / f"{name}.py"
            path.write_text(textwrap.dedent(source))
        else:
            cells = [{"cell_type": "code", "source": textwrap.dedent(s)} for s in source]
            path = tmp_path / f"{name}.ipynb"
            path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
        return path

    return write
