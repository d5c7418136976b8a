"""What a training says while it runs."""

import pytest
from tqdm import tqdm
from training.trainings import Images, model

from cae_np.models.wta import WinnerTakeAll
from cae_np.training import Plan, progress, train


def test_progress_of_a_run_taken_up_within_an_epoch_ends_at_a_hundred_percent(
    tmp_path, monkeypatch, capsys
):
    plan, checkpoint = Plan(2, 16, 1e-3), tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        train(model(), Images(fail_after=2), plan, 3, checkpoint=checkpoint, checkpoint_every=0)
    monkeypatch.setattr(progress, "LINE_INTERVAL", 0.0)
    train(model(), Images(), plan, 3, label="digits", checkpoint=checkpoint)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert "digits:  50%" in first and "digits: 100%" in last  # 2 × 16 + 8 of 2 × 40


def test_progress_lines_say_what_the_model_reported(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_INTERVAL", 0.0)
    wta = WinnerTakeAll(1, 3, (3, 3))
    plan = Plan(epochs=2, batch_size=20, rate=1e-3)
    history = train(wta, Images(), plan, seed=0, label="digits")
    first, *_, last = capsys.readouterr().err.splitlines()
    assert "digits" in first and "dead" not in first  # nothing is known yet
    reported = history[0]
    assert f"dead {reported['dead_maps']}" in last
    assert f"sparsity {reported['hidden_sparsity']:.2%}" in last
    assert f"active on {reported['active_share'][0]:.0%}" in last and "ties" in last


def test_on_a_narrow_terminal_the_figures_come_before_the_label():
    label = "makhzani2014-table1 search: 128 maps, Adam 0.002, 3 epochs, N(0, 0.03²), seed 0"
    bar = tqdm.format_meter(
        n=30, total=100, elapsed=3, ncols=80, prefix=label, unit="img",
        postfix="loss 6.1", bar_format=progress.BAR,
    )  # fmt: skip
    assert len(bar) <= 80 and bar.startswith(" 30%|")
    assert "left, 10.00img/s, loss 6.1  makhzani2014-table1 search" in bar
