"""Interrupted trainings end with the same bits; checkpoints that do not fit are refused."""

import json

import numpy as np
import pytest
from corrupt import corrupted
from hypothesis import given, settings
from training.trainings import MODELS, Images, every_model, model

from cae_np import storage
from cae_np.errors import ConfigError, DataError, DivergenceError
from cae_np.models.cae import ConvAutoEncoder
from cae_np.training import Plan, checkpoint, train


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("interrupted_after", [1, 4, 7])
def test_interrupted_training_ends_with_the_same_bits(tmp_path, optimizer, interrupted_after):
    plan = Plan(3, 16, 1e-3, optimizer=optimizer, momentum=0.9, noise="gaussian", amount=0.1)
    whole = model()
    history = train(whole, Images(), plan, seed=3)

    checkpoint = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        train(
            model(),
            Images(fail_after=interrupted_after),
            plan,
            seed=3,
            checkpoint=checkpoint,
            checkpoint_every=0,
        )
    resumed = model(seed=99)  # its own weights must not matter
    again = train(resumed, Images(), plan, seed=3, checkpoint=checkpoint)
    for name, p in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)
    assert [e["loss"] for e in again] == [e["loss"] for e in history]


@pytest.mark.parametrize(
    "record",
    [
        {"epoch": -1},
        {"epoch": 10**400},
        {"epoch": 1.0},
        {"epoch": True},
        {"step_in_epoch": -1},
        {"step_in_epoch": None},
        {"history": 7},
        {"history": [{}] * 5},
        {"optimizer": []},
        {"training": 3},
        {"arrays": {}},
    ],
    ids=str,
)
def test_whatever_a_checkpoint_says_that_cannot_be_is_one_line(tmp_path, record):
    path, plan = tmp_path / "checkpoint.npz", Plan(2, 16, 1e-3)
    with pytest.raises(KeyboardInterrupt):
        train(model(), Images(fail_after=2), plan, 3, checkpoint=path, checkpoint_every=0)
    arrays = storage.load_arrays(path)
    whole = json.loads(arrays["record"].tobytes()) | record
    arrays["record"] = np.frombuffer(json.dumps(whole).encode(), np.uint8)
    storage.save_arrays(path, arrays)
    with pytest.raises(DataError, match="is no whole checkpoint"):
        train(model(), Images(), plan, 3, checkpoint=path)


@every_model
def test_every_model_ends_with_the_same_bits_after_an_interruption(tmp_path, name):
    make, labels = MODELS[name]
    plan = Plan(3, 16, 1e-3, momentum=0.9, noise="binomial", amount=0.2)
    whole = make(0)
    history = train(whole, Images(), plan, 3, labels=labels)
    path, interrupted = tmp_path / "checkpoint.npz", Images(fail_after=5)
    with pytest.raises(KeyboardInterrupt):
        train(make(0), interrupted, plan, 3, checkpoint=path, checkpoint_every=0, labels=labels)
    resumed = make(99)
    again = train(resumed, Images(), plan, 3, checkpoint=path, labels=labels)
    for parameter, array in whole.params.items():
        np.testing.assert_array_equal(resumed.params[parameter], array)

    def but_speed(history):
        return [{k: v for k, v in e.items() if k != "images_per_second"} for e in history]

    assert but_speed(again) == but_speed(history)


def interrupted(path, name="cae", plan=None, seed=3, n=40):
    """A checkpoint in the second epoch."""
    make, labels = MODELS[name]
    with pytest.raises(KeyboardInterrupt):
        train(make(0), Images(n, fail_after=5), plan or Plan(3, 16, 1e-3), seed, checkpoint=path,
              checkpoint_every=0, labels=labels)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "wta, tied"}, "model: "),
        ({"plan": Plan(3, 16, 2e-3)}, "plan: "),
        ({"seed": 4}, r"seed: 3, here 4"),
        ({"n": 39}, r"images: 40, here 39"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, changes, message):
    path = tmp_path / "checkpoint.npz"
    interrupted(path)
    content = path.read_bytes()
    with pytest.raises(ConfigError, match=f"another training .*{message}.*or delete this"):
        make, labels = MODELS[changes.get("name", "cae")]
        train(make(0), Images(changes.get("n", 40)), changes.get("plan", Plan(3, 16, 1e-3)),
              changes.get("seed", 3), checkpoint=path, labels=labels)  # fmt: skip
    assert path.read_bytes() == content


def test_a_checkpoint_of_other_labels_or_another_augmentation_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    name = "shallow net"
    interrupted(path, name)
    make, labels = MODELS[name]

    def go_on(**changes):
        arguments = dict(labels=labels) | changes
        train(make(0), Images(), Plan(3, 16, 1e-3), 3, checkpoint=path, **arguments)

    with pytest.raises(ConfigError, match="another training .labels: "):
        go_on(labels=np.roll(labels, 1))
    with pytest.raises(ConfigError, match="another training .augmented: False, here True"):
        go_on(augment=lambda x, rng: x)
    go_on()


@pytest.mark.filterwarnings("ignore")  # the literal parser warns about strange texts
@pytest.mark.parametrize("examples", [40, pytest.param(10_000, marks=pytest.mark.slow)])
def test_corrupted_checkpoints(tmp_path_factory, examples):
    folder = tmp_path_factory.mktemp("checkpoint")
    path = folder / "checkpoint.npz"
    interrupted(path)
    whole = storage.load_arrays(path)
    record = whole["record"].tobytes()
    identity = {}

    def restore(content=None, arrays=None):
        if arrays:  # save_arrays would wait for the disk, ten thousand times
            np.savez(path, **arrays)
        else:
            path.write_bytes(content)
        model = MODELS["cae"][0](0)
        try:
            return checkpoint.restore(path, identity, model, Plan(3, 16, 1e-3).make_optimizer())
        except (DataError, ConfigError) as error:
            assert str(path) in str(error) and "delete" in str(error) and "\n" not in str(error)

    content = path.read_bytes()
    assert restore(content).epoch == 1

    @settings(max_examples=examples)
    @given(corrupted(content, head=400))
    def archives(damaged):
        restore(damaged)

    @settings(max_examples=examples)
    @given(corrupted(record))
    def records(damaged):
        restore(arrays=whole | {"record": np.frombuffer(damaged, np.uint8)})

    archives()
    records()
    for name in whole:
        assert restore(arrays={n: a for n, a in whole.items() if n != name}) is None
        if name != "record":
            assert restore(arrays=whole | {name: np.zeros((7, 7, 7), np.complex64)}) is None


def test_a_diverging_run_keeps_the_last_good_checkpoint(tmp_path):
    """Parameters overflow a step before the loss does; that state is not saved."""
    path = tmp_path / "checkpoint.npz"
    plan = Plan(50, 10, 30.0, schedule="constant")
    model = ConvAutoEncoder(1, 3, (3, 3), output="linear", activation="relu", tied=False)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError) as caught:
        train(model, Images(), plan, 0, label="cae", checkpoint=path, checkpoint_every=0)
    message = str(caught.value)
    assert message.startswith("cae: ")
    assert "with learning rate 30; try a learning rate of 1e+01" in message
    assert "; the loss was " in message and f"; the last good state is kept in {path}" in message
    kept = storage.load_arrays(path)
    assert all(np.isfinite(array).all() for array in kept.values())
    # It is the state before: the same training ends there again.
    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match="learning rate of 1e"):
        train(model, Images(), plan, 0, label="cae", checkpoint=path, checkpoint_every=0)
