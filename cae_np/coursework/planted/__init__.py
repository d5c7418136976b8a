"""Mistakes that are easily made, each as a function that makes it.

They are written for NumPy, as a student would, and each sentence is addressed to whoever made it.
"""

from . import convolution, elementwise, models, pooling, selection, training
from .mistake import Mistake

MISTAKES = tuple(
    value
    for module in (convolution, elementwise, pooling, selection, models, training)
    for value in vars(module).values()
    if isinstance(value, Mistake)
)
