"""Trainings that cannot succeed are stopped, with the reason."""

import numpy as np
import pytest
from training.trainings import LABELS, MODELS, Images

from cae_np.errors import ConfigError, DataError, DivergenceError
from cae_np.models.autoencoder import AutoEncoder
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.wta import WinnerTakeAll
from cae_np.training import Plan, train
from cae_np.training.guard import Guard


class With(Images):
    """Images, some of whose numbers are replaced."""

    def __init__(self, value, *places, **more):
        super().__init__(**more)
        for place in places:
            self._x[place] = value


def test_looking_at_images_warns_of_nothing():
    """Neither where infinities cancel, nor where large numbers have no sum."""
    guard = Guard("digits", None)
    x = np.zeros((2, 1, 2, 2), "float32")
    x[1, 0, 0] = np.inf, -np.inf
    with pytest.raises(DataError, match="image 7 holds inf at channel 0, row 0, column 0"):
        guard.check_images(x, np.array([3, 7]))
    x[1, 0, 0] = 3e38
    guard.check_images(x, np.array([3, 7]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_images_that_are_not_finite_are_refused_with_their_position(xp, value):
    wrong = With(value, (23, 0, 5, 6))
    message = rf"digits: image 23 holds {value} at channel 0, row 5, column 6; expected finite"
    with pytest.raises(DataError, match=message):
        train(MODELS["cae"][0](0), wrong, Plan(1, 16, 1e-3), 0, label="digits")


def test_images_whose_sum_overflows_are_finite():
    large = With(np.float32(3e38), (23, 0, 5, 6), (23, 0, 5, 7))
    with np.errstate(all="ignore"), pytest.raises(DivergenceError):
        train(MODELS["cae"][0](0), large, Plan(1, 16, 1e-3), 0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ConvAutoEncoder(1, 3, (9, 9)), r"1×8×8: a 9×9 kernel does not fit into 8×8 images"),
        (ConvAutoEncoder(2, 3, (3, 3)), r"1×8×8: w has .* with C = 1, as in x"),
        (ConvAutoEncoder(1, 3, (3, 3), pool=7), r"1×8×8: .*pool.*6"),
        (AutoEncoder(63, 3), r"1×8×8: .*63"),
        (
            WinnerTakeAll(1, 4, (3, 3), path="dense", sparsity="global_top_k", amount=500),
            "1×8×8: .*500",
        ),
    ],
)
def test_a_model_that_does_not_fit_is_a_mistake_in_the_configuration(model, message):
    with pytest.raises(ConfigError, match="letters: the model does not fit images of " + message):
        train(model, Images(), Plan(1, 16, 1e-3), 0, label="letters")


def test_a_bug_in_a_later_step_stays_what_it_is(monkeypatch):
    model = MODELS["cae"][0](0)
    step, calls = model.loss_and_gradients, []

    def fails_later(*arguments):
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("a bug")
        return step(*arguments)

    monkeypatch.setattr(model, "loss_and_gradients", fails_later)
    with pytest.raises(ValueError, match="^a bug$"):
        train(model, Images(), Plan(1, 16, 1e-3), 0)


def test_nothing_to_train_on():
    with pytest.raises(ConfigError, match="cae: no images for 0 images"):
        train(MODELS["cae"][0](0), Images(0), Plan(1, 16, 1e-3), 0, label="cae")
    with pytest.raises(ConfigError, match="ShallowConvNet: 39 labels for 40 images"):
        train(MODELS["shallow net"][0](0), Images(), Plan(1, 16, 1e-3), 0, labels=LABELS[1:])
