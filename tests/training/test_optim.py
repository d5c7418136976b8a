"""Stochastic gradient descent, Adam and schedules of the learning rate."""

import numpy as np
import pytest
from ops.properties import properties_of

from cae_np.backend import to_device, to_numpy
from cae_np.training import optim
from cae_np.training.optim import SCHEDULES, SGD, Adam, adam_step, sgd_step


@properties_of("sgd_step")
def test_properties(prop, impl, xp, case):
    prop.check(impl, xp, case)


def test_sgd_with_momentum_by_hand(xp):
    p, dp, v = xp.asarray([1.0]), xp.asarray([2.0]), xp.asarray([3.0])
    new_p, new_v = sgd_step(p, dp, v, rate=0.1, momentum=0.5)
    assert float(new_v[0]) == 0.5 * 3 - 0.1 * 2 and float(new_p[0]) == 1 + float(new_v[0])
    assert float(p[0]) == 1 and float(v[0]) == 3  # pure


def test_adam_against_the_formulas_of_its_paper(xp):
    rng = np.random.default_rng(1)
    p0, gradients = rng.standard_normal(5), rng.standard_normal((4, 5))
    p, m, v = xp.asarray(p0), xp.zeros(5), xp.zeros(5)
    expected, em, ev = p0.copy(), np.zeros(5), np.zeros(5)
    for t, dp in enumerate(gradients, 1):
        p, m, v = adam_step(p, xp.asarray(dp), m, v, t, rate=0.01)
        em = 0.9 * em + 0.1 * dp
        ev = 0.999 * ev + 0.001 * dp**2
        expected -= 0.01 * (em / (1 - 0.9**t)) / (np.sqrt(ev / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(to_numpy(p), expected, rtol=1e-12)
    assert abs(to_numpy(p) - p0).max() > 0.02  # it moved


@pytest.mark.parametrize("make", [lambda: SGD(0.9), Adam])
def test_large_parameters_are_updated_in_blocks_to_the_same_bits(make, monkeypatch):
    rng = np.random.default_rng(3)
    # Kernels with the channels last in memory, as winner-take-all has them.
    start = rng.standard_normal((11, 3, 2, 4)).transpose(0, 3, 1, 2)
    gradients = [{"w": rng.standard_normal((11, 4, 3, 2))} for _ in range(3)]

    def run(limit):
        monkeypatch.setattr(optim, "UPDATE_BYTES", limit)
        optimizer, params = make(), {"w": start.copy(order="K")}
        for g in gradients:
            optimizer.step(params, g, 0.1)
        return params["w"]

    whole, blocks, rows = (run(limit) for limit in (1 << 20, 400, 1))
    assert abs(whole - start).min() > 0
    np.testing.assert_array_equal(blocks, whole)
    np.testing.assert_array_equal(rows, whole)


@pytest.mark.parametrize("make", [lambda: SGD(0.9), Adam])
def test_optimiser_taken_up_again_goes_on_alike(xp, make):
    rng = np.random.default_rng(2)
    gradients = [{"w": to_device(rng.standard_normal((3, 2)))} for _ in range(6)]

    def run(optimizer, params, some):
        for g in some:
            optimizer.step(params, g, 0.1)
        return params

    whole = run(make(), {"w": xp.ones((3, 2))}, gradients)
    first = make()
    params = run(first, {"w": xp.ones((3, 2))}, gradients[:3])
    arrays, settings = first.state()
    second = make()
    second.load_state({n: to_device(to_numpy(a).copy()) for n, a in arrays.items()}, settings)
    np.testing.assert_array_equal(
        to_numpy(run(second, params, gradients[3:])["w"]), to_numpy(whole["w"])
    )


def test_schedules_start_whole_and_do_not_rise():
    for name, schedule in SCHEDULES.items():
        shares = [schedule(t) for t in np.linspace(0, 1, 11)]
        assert shares[0] == 1 and all(a >= b for a, b in zip(shares, shares[1:], strict=False)), (
            name
        )
    assert SCHEDULES["linear_to_zero"](1) == 0
    assert SCHEDULES["exponential"](1) == pytest.approx(0.01)
