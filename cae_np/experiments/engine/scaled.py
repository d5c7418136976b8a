"""Images with other intensities than from 0 to 1."""


class Scaled:
    """Images with other intensities than 0 and 1.

    Parameters
    ----------
    split : cae_np.data.Split
    black, white : float
    """

    def __init__(self, split, black, white):
        self.labels = split.labels
        self._split, self._black, self._white = split, black, white

    def __len__(self):
        return len(self._split)

    def batch(self, indices=slice(None)):
        """Floats of shape (n, C, H, W)."""
        x = self._split.batch(indices)
        x *= self._white - self._black
        x += self._black
        return x

    def take(self, indices):
        """The records at ``indices``, scaled alike."""
        return Scaled(self._split.take(indices), self._black, self._white)

    def unscaled(self, x):
        """What ``batch`` or a model makes of them, back between 0 and 1."""
        return (x - self._black) / (self._white - self._black)
