"""Checkpoints of a training: model, optimiser, position, and which training they are of."""

import json
from dataclasses import dataclass

import numpy

from .. import storage
from ..backend import to_device, to_numpy
from ..errors import ConfigError, DataError


@dataclass(frozen=True)
class Position:
    """Where in a run the next step stands, and what has been gathered so far.

    Attributes
    ----------
    epoch, step_in_epoch : int
    loss_sum : float or 0-d device array
        Over the steps of this epoch.
    history : list of dict
        Of the epochs before.
    """

    epoch: int = 0
    step_in_epoch: int = 0
    loss_sum: object = 0.0
    history: tuple | list = ()


def save(path, identity, model, optimizer, position):
    """Write everything that the next step depends on, atomically, if it is worth it.

    Parameters
    ----------
    path : path-like
    identity : dict
        JSON: which training this is.
    model, optimizer : with ``state()``
    position : Position

    Returns
    -------
    str or None
        What is not a finite number in it, and then nothing was written.

    Raises
    ------
    DataError
        If the disk refuses; the previous checkpoint stays.
    """
    model_arrays, _ = model.state()
    optimizer_arrays, settings = optimizer.state()
    arrays = {f"model/{name}": array for name, array in model_arrays.items()}
    arrays |= {f"optimizer/{name}": to_numpy(array) for name, array in optimizer_arrays.items()}
    arrays["loss_sum"] = to_numpy(position.loss_sum)
    for name, array in arrays.items():
        if not numpy.isfinite(array).all():
            return name
    record = {
        "training": identity,
        "arrays": _outline(arrays),
        "epoch": position.epoch,
        "step_in_epoch": position.step_in_epoch,
        "history": list(position.history),
        "optimizer": settings,
    }
    arrays["record"] = numpy.frombuffer(json.dumps(record).encode(), numpy.uint8)
    storage.save_arrays(path, arrays)
    return None


def restore(path, identity, model, optimizer):
    """Put model and optimiser into the state that :func:`save` wrote.

    Parameters
    ----------
    path, identity, model, optimizer
        As for :func:`save`.

    Returns
    -------
    Position

    Raises
    ------
    ConfigError
        If it is the checkpoint of another training.
    DataError
        If the file is damaged.
    """
    arrays = storage.load_arrays(path)
    try:
        record = json.loads(arrays.pop("record").tobytes())
        theirs = dict(record["training"])
    except Exception as error:
        raise _damaged(path, error) from error
    ours = json.loads(json.dumps(identity))
    other = [name for name in ours if theirs.get(name) != ours[name]]
    if other:
        raise ConfigError(
            f"{path} is the checkpoint of another training ({other[0]}: {theirs.get(other[0])}, "
            f"here {ours[other[0]]}); give each training a checkpoint of its own, or delete this"
        )
    try:
        if record["arrays"] != _outline(arrays):
            raise ValueError("its arrays are others than it says")
        loss_sum = to_device(arrays.pop("loss_sum"))[()]
        epoch, step, history = (record[n] for n in ("epoch", "step_in_epoch", "history"))
        if not (isinstance(history, list) and type(epoch) is int and epoch == len(history)):
            raise ValueError(f"epoch {epoch!r} does not follow its history")
        if type(step) is not int or step < 0:
            raise ValueError(f"step {step!r} is none")
        if not isinstance(record["optimizer"], dict):
            raise ValueError("the optimiser's settings are no dictionary")
        position = Position(epoch, step, loss_sum, history)
        model.load_state(_under(arrays, "model/"))
        restored = {name: to_device(array) for name, array in _under(arrays, "optimizer/").items()}
        optimizer.load_state(restored, record["optimizer"])
    except Exception as error:  # whatever JSON and arrays of the wrong kind lead to
        raise _damaged(path, error) from error
    return position


def _outline(arrays):
    return {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}


def _under(arrays, prefix):
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _damaged(path, error):
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"{path} is no whole checkpoint ({reason}); delete it, and the training begins anew"
    )
