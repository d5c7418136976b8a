"""cae_np: convolutional auto-encoders written by hand, once, for NumPy and CuPy.

The mathematics is in :mod:`cae_np.ops`, the models of the two papers in :mod:`cae_np.models`, and
gradient checks for anybody's layer in :mod:`cae_np.gradcheck`.
"""

__version__ = "0.1.0"
