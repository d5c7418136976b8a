"""Statistics of the units that a winner-take-all auto-encoder keeps active in training."""

import numpy

from ..backend import to_device, to_numpy
from ..ops.encode import count_ties


class Tally:
    """Counts of active units, kept on the device between two readings."""

    def __init__(self, maps):
        self._maps = maps
        self.load(None)

    def load(self, counts):
        """Go on from saved ``counts``, or from zero."""
        # images, units, active units, maps searched for ties, ties; then for each map: images.
        counts = numpy.zeros(5 + self._maps, numpy.int64) if counts is None else counts
        self.counts = to_device(counts.copy())
        self._seek_ties = not counts[3]

    def count(self, x, w, active):
        """Count a batch.

        Parameters
        ----------
        x : array, shape (N, C, H, W)
        w : array, the encoder's kernels
        active : array, shape (N, K)
            How many units of each map are not zero.
        """
        (N, _, H, W), K = x.shape, self._maps
        self.counts[0] += N
        self.counts[1] += N * K * H * W
        self.counts[2] += active.sum()
        self.counts[5:] += (active > 0).sum(axis=0)
        if self._seek_ties:  # costs as much as the encoder, so one batch must do
            self.counts[3] += N * K
            self.counts[4] += count_ties(x, w).sum()
            self._seek_ties = False

    def read(self):
        """What :meth:`cae_np.models.wta.WinnerTakeAll.telemetry` returns; counts begin anew."""
        images, units, active, searched, ties, *of_map = to_numpy(self.counts).tolist()
        self.load(None)
        of_map = sorted(count / max(1, images) for count in of_map)
        return {
            "active_share": [of_map[0], of_map[len(of_map) // 2], of_map[-1]],
            "dead_maps": sum(share == 0 for share in of_map),
            "hidden_sparsity": active / max(1, units),
            "ties": ties / max(1, searched),
        }
