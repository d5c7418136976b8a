"""The first Ctrl-C or SIGTERM waits for the step to end, and the state is saved before it acts."""

import signal
import threading

import numpy as np
import pytest
from training.trainings import Images, model

from cae_np.command_line import Terminated, sigterm_as_an_exception
from cae_np.training import Plan, train
from cae_np.training.interrupt import Interruption

PLAN = Plan(3, 16, 1e-3, momentum=0.9)  # 40 images: 9 steps


class Interrupted(Images):
    """Images during whose batch a signal comes, so many times."""

    def __init__(self, number, at, times=1):
        super().__init__()
        self.number, self.at, self.times, self.batches = number, at, times, 0

    def batch(self, indices):
        self.batches += 1
        if self.batches == self.at:
            for _ in range(self.times):
                signal.raise_signal(self.number)
        return super().batch(indices)


@pytest.mark.parametrize("at", [1, 5, 9])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_not_a_step_is_lost(tmp_path, number, at):
    whole, path = model(), tmp_path / "checkpoint.npz"
    train(whole, Images(), PLAN, 3)
    images = Interrupted(number, at)
    with sigterm_as_an_exception(), pytest.raises(KeyboardInterrupt) as caught:
        train(model(), images, PLAN, 3, checkpoint=path)
    assert (caught.type is Terminated) == (number == signal.SIGTERM)
    assert images.batches == at
    resumed, left = model(seed=9), Interrupted(number, at=None)
    train(resumed, left, PLAN, 3, checkpoint=path)
    assert left.batches == 9 - at
    for name, array in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], array)


def test_the_second_one_acts_at_once_and_leaves_the_last_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        train(model(), Interrupted(signal.SIGINT, 4, times=2), PLAN, 3, checkpoint=path)
    assert not path.exists()


def test_without_a_checkpoint_nothing_waits():
    images = Interrupted(signal.SIGINT, 4)
    with pytest.raises(KeyboardInterrupt):
        train(model(), images, PLAN, 3)
    assert images.batches == 4


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_afterwards_everything_is_as_it_was(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with Interruption() as ending:
            if handler is signal.SIG_IGN:
                signal.raise_signal(signal.SIGINT)  # stays ignored
            assert ending.asked is None
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_that_comes_with_an_error_is_not_lost():
    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("diverged")


def test_trainings_of_other_threads_take_no_signals(tmp_path):
    done = []

    def work():
        train(model(), Images(), PLAN, 3, checkpoint=tmp_path / "checkpoint.npz")
        done.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [before]
