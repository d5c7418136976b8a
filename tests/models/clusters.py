"""Overlapping clusters for read-outs, and how their features are scaled."""

import numpy as np

from cae_np.models.linear import LinearSVM, SoftmaxRegression

READOUTS = [SoftmaxRegression, LinearSVM]


def problem(N=43, D=6, classes=3, seed=0, spread=1.0):
    """Overlapping clusters, whose features differ in mean and size; host arrays."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, N)
    features = rng.standard_normal((classes, D))[labels] + spread * rng.standard_normal((N, D))
    return features * np.linspace(0.5, 4, D) + np.linspace(-3, 9, D), labels


def explicitly_scaled(features, kind):
    if kind == "none":
        return features
    std = features.std(axis=0) if kind == "feature" else features.std()
    return (features - features.mean(axis=0)) / std
