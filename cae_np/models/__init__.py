"""The models of the two papers.

All have the same face, which the training loop and the experiments rely on:

``params``
    Trainable arrays on the device, by name; optimisers update them in place.
``loss_and_gradients(x, target=None)``
    The loss (a 0-d device array) of reconstructing ``target`` (default: x itself) from x, and the
    gradient of every parameter, by name.  A network (:mod:`.cnn`) takes labels in place of a
    target.
``encode(x)``, ``reconstruct(x)``
    The code and the reconstruction, of auto-encoders; pure.
``state()`` / ``load_state(arrays)``
    ``(host arrays by name, configuration)``; ``Model(**configuration)`` makes its like.
"""
