"""What holds for all models that are trained: resuming to the bit, and steps that never wait."""

import importlib.util

import numpy as np
import pytest
from corrupt import corrupted
from hypothesis import given, settings
from test_training import Images

from cae_np import backend, storage
from cae_np.errors import ConfigError, DataError, DivergenceError
from cae_np.models.autoencoder import AutoEncoder
from cae_np.models.cae import ConvAutoEncoder
from cae_np.models.shallow_net import ShallowConvNet
from cae_np.models.wta import WinnerTakeAll
from cae_np.training import Plan, checkpoint, progress, train
from cae_np.training.guard import Guard

LABELS = np.arange(40) % 3

# A function of the seed, and the labels for those that learn with them.
MODELS = {
    "cae": (lambda s: ConvAutoEncoder(1, 3, (3, 3), pool=2, seed=s), None),
    "cae, full, untied": (
        lambda s: ConvAutoEncoder(1, 3, (3, 3), mode="full", tied=False, seed=s), None,
    ),
    "wta, sparse": (lambda s: WinnerTakeAll(1, 4, (3, 3), seed=s), None),
    "wta, dense": (lambda s: WinnerTakeAll(1, 4, (3, 3), path="dense", seed=s), None),
    "wta, tied": (lambda s: WinnerTakeAll(1, 4, (3, 3), tied=True, seed=s), None),
    "wta, global top-k": (
        lambda s: WinnerTakeAll(1, 4, (3, 3), path="dense", sparsity="global_top_k", amount=5,
                                seed=s), None,
    ),
    "autoencoder": (lambda s: AutoEncoder(64, 5, seed=s), None),
    "autoencoder, k-sparse": (lambda s: AutoEncoder(64, 9, k=3, seed=s), None),
    "shallow net": (
        lambda s: ShallowConvNet((1, 8, 8), 3, (3, 3), classes=3, pool_width=3, pool_stride=2,
                                 seed=s), LABELS,
    ),
}  # fmt: skip

if importlib.util.find_spec("cae_np.models.cnn"):
    from cae_np.models.cnn import ConvNet

    MODELS["network"] = (
        lambda s: ConvNet((1, 8, 8), maps=(3, 4), kernels=(3, 2), pools=(2, None), hidden=5,
                          classes=3, seed=s), LABELS,
    )  # fmt: skip

every_model = pytest.mark.parametrize("name", MODELS)


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


@every_model
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_no_copy_to_the_host_inside_a_training_step(monkeypatch, name, optimizer):
    """Counted on the stand-in; a copy would make the host wait for the device at every step."""
    import strict_cupy

    strict_cupy.register_stand_in()
    monkeypatch.setattr(progress, "LINE_INTERVAL", np.inf)
    before = backend.active().name
    backend.use("strict")
    make, labels = MODELS[name]
    plan = dict(momentum=0.9, noise="binomial", amount=0.2, optimizer=optimizer)
    try:

        def copies(batch_size):
            with strict_cupy.count_host_copies() as copies:
                train(make(0), Images(), Plan(2, batch_size, 1e-3, **plan), 3, labels=labels)
            return copies.to_host

        few, many = copies(20), copies(4)  # 2 × 2 and 2 × 10 steps
    finally:
        backend.use(before)
    assert few and many == few  # one an epoch, and the first loss: they do not grow with the steps


# --- checkpoints --------------------------------------------------------------------------------


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


# --- nonsense -----------------------------------------------------------------------------------


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
