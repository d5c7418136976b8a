"""Anyone can verify: recompute test figures of the results from the networks that come trained.

Not an experiment: nothing is trained.  Whitening is learned again from the training images, the
test images are encoded and classified, and the errors are counted.
"""

import time

from .. import data, pretrained
from ..errors import DataError

ALLOWED = 5  # test images by which a figure may differ: rounding decides close calls


def verify(data_dir=None, download=False, say=print, folder=pretrained.FOLDER):
    """Recompute the figure of every trained network.

    Parameters
    ----------
    data_dir, download
        As :func:`cae_np.data.load` takes them.
    say : callable, (str) -> None
        Takes the lines for the user.
    folder : path-like
        Where the networks are.

    Returns
    -------
    bool
        Whether all of them came out as they should.  One whose data are missing did not.

    Raises
    ------
    DataError
        If there is no network, or no data for any of them.
    """
    networks = [pretrained.load(name, folder) for name in pretrained.names(folder)]
    if not networks:
        raise DataError(f"no trained network in {folder}; install the package again")
    sets, missing = {}, {}
    for name in dict.fromkeys(trained.data for trained in networks):
        try:
            sets[name] = data.load(name, data_dir, download)
        except DataError as error:
            missing[name] = error
    if not sets:
        raise next(iter(missing.values()))
    agreed = 0
    for trained in networks:
        if trained.data in missing:
            say(f"{trained.name}: not verified: {missing[trained.data]}")
            continue
        agreed += _verified(trained, sets[trained.data], say)
    say(f"{agreed} of {len(networks)} figures verified")
    return agreed == len(networks)


def _verified(trained, dataset, say):
    """Whether one figure comes out within :data:`ALLOWED`."""
    if dataset.checksum != trained.checksum:
        say(
            f"{trained.name}: the {dataset.name} at hand has other records or pixels than the one "
            "it was trained on"
        )
    began = time.perf_counter()
    trained.network.prepare(dataset.train)
    wrong = trained.network.count_errors(dataset.test)
    agrees = abs(wrong - trained.wrong) <= ALLOWED
    seed = trained.record["inputs"]["seed"]
    say(
        f"{trained.name}: {wrong:,} of {len(dataset.test):,} test images wrong "
        f"({100 * wrong / len(dataset.test):.2f} %); {trained.record['inputs']['experiment']}, "
        f"seed {seed}, had {trained.wrong:,}: {'agrees' if agrees else 'DOES NOT AGREE'} "
        f"({time.perf_counter() - began:.0f} s)"
    )
    return agrees
