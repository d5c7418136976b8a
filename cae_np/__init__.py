"""cae_np: convolutional auto-encoders written by hand, once, for NumPy and CuPy.

The mathematics is in :mod:`cae_np.ops`, the models of the two papers in :mod:`cae_np.models`, and
gradient checks for anybody's layer in :mod:`cae_np.gradcheck`.  The names below can be had from
here; each is loaded when it is first asked for, so that ``import cae_np`` stays light.
"""

import importlib

__version__ = "0.1.0"

# Public name -> the module that defines it.
_HOME = {
    # M14, M11, and their rivals
    "WinnerTakeAll": "models.wta",
    "ConvAutoEncoder": "models.cae",
    "AutoEncoder": "models.autoencoder",
    "CaeStack": "models.stack",
    "ConvNet": "models.cnn",
    "PatchKMeans": "models.kmeans",
    "ShallowConvNet": "models.shallow_net",
    "SoftmaxRegression": "models.linear",
    "LinearSVM": "models.linear",
    "Stack": "models.stack",
    "LearningWarning": "models.estimator",
    # training
    "Plan": "training",
    "train": "training",
    "history_csv": "training.history",
    # images
    "ImageArray": "data.batches",
    "read_images": "data.images",
    "ZCA": "data.preprocess",
    "contrast_normalise": "data.preprocess",
    # checks
    "check_adjoint": "gradcheck",
    "check_gradients": "gradcheck",
    "check_model": "gradcheck",
    # which array module computes
    "to_device": "backend",
    "to_numpy": "backend",
    "use": "backend",
}
_MODULES = ("data", "exchange", "ops", "plotting", "pretrained")

__all__ = ["__version__", *sorted(_HOME), *_MODULES]


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    elif name in _MODULES:
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # found at once from now on
    return value


def __dir__():
    return __all__
