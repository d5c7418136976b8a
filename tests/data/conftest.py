"""Blocks so small that several are needed, and made-up files that count as the official ones."""

import hashlib

import pytest
from data.mnist_files import CONTENTS

from cae_np.data import patches, sources


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(patches, "BLOCK", 16)


@pytest.fixture
def official(monkeypatch):
    """Make twelve images the official files."""
    table = {}
    for (part, what), source in sources.MNIST.items():
        md5 = hashlib.md5(CONTENTS[what]).hexdigest()
        table[part, what] = sources.Source(source.name, 1, md5, True, ())
    monkeypatch.setattr(sources, "MNIST", table)
