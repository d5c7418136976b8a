"""``run_experiments.py``: its options, its exit codes, and one line for every mistake."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cae_np import experiments, storage
from cae_np.experiments import main as run_experiments

ROOT = Path(__file__).parents[1]
PROGRAM = (
    "import signal, sys; from cae_np import experiments; import run_experiments\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)  # also in a shell's background\n"
    "experiments.MODULES['numbers'] = 'fake_experiments.numbers'\n"
    "sys.exit(run_experiments.main())"
)


PATHS = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"


def started(*arguments, stdout=subprocess.PIPE, **environment):
    """Run the real program in a process of its own."""
    command = [sys.executable, str(ROOT / "run_experiments.py"), *arguments]
    environment = os.environ | environment
    streams = {"stdout": stdout, "stderr": subprocess.PIPE}
    return subprocess.run(command, env=environment, text=True, timeout=120, **streams)


@pytest.mark.parametrize(
    ("script", "name", "command"),
    [
        ("run_experiments.py", "run_experiments.py", "python run_experiments.py"),
        ("/x/cae_np/__main__.py", "python -m cae_np", "python -m cae_np"),
        ("/x/bin/cae-np", "cae-np", "cae-np"),
        ("/x/bin/pytest", "run_experiments.py", "python run_experiments.py"),
    ],
)
def test_messages_name_the_program_as_it_was_called(
    capsys, monkeypatch, faults, script, name, command
):
    monkeypatch.setattr(sys, "argv", [script])
    for mistake in (["--frobnicate"], ["xyzzy"]):
        assert call(capsys, *mistake)[2].startswith(f"{name}: ")
    assert call(capsys, "--help")[1].startswith(f"usage: {name} ")
    (faults / "interrupt 1").touch()
    code, _, err = call(capsys, "numbers", "--preset", "smoke")
    assert code == 130 and f"{command} numbers --preset smoke --resume" in err
    (faults / "interrupt 1").unlink()
    call(capsys, "numbers", "--preset", "smoke", "--resume")
    assert f"repeat with: {command} numbers --preset" in Path("out/report.md").read_text()


def test_the_module_is_the_program(tmp_path):
    command = [sys.executable, "-m", "cae_np", "xyzzy"]
    ran = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": PATHS}, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert (
        ran.stderr == "python -m cae_np: unknown experiment 'xyzzy'; --list shows what there is\n"
    )


@pytest.fixture(autouse=True)
def fakes(monkeypatch, tmp_path):
    """The two fake experiments are all there is, and nobody said where data are."""
    monkeypatch.setattr(
        experiments,
        "MODULES",
        {"numbers": "fake_experiments.numbers", "sums": "fake_experiments.sums"},
    )
    for name in ("CAE_DATA", "CAE_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def faults(monkeypatch, tmp_path):
    folder = tmp_path / "faults"
    folder.mkdir()
    monkeypatch.setenv("FAKE_FAULTS", str(folder))
    return folder


def call(capsys, *arguments):
    """Run the program in this process; returns exit code, standard output, standard error."""
    try:
        code = run_experiments.main(list(arguments))
    except SystemExit as end:  # argparse's way
        code = end.code
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err
    return code, output.out, output.err


def test_unnamed_it_runs_all_but_those_that_run_only_when_named(capsys, tmp_path):
    code, out, err = call(capsys)
    assert (code, err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "numbers", "report.html", "report.md",
    ]  # fmt: skip
    lines = out.splitlines()
    assert lines[0].startswith("backend: NumPy ")
    assert any(line.strip() == os.path.join("out", "numbers", "means.png") for line in lines)
    assert lines[-1] == f"report: {Path('out/report.html')} and {Path('out/report.md')}"
    document = storage.load_json(tmp_path / "out" / "numbers" / "results.json")
    assert document["preset"] == "quick" and document["seeds"] == [0, 1, 2, 3, 4]


def test_named_experiments_run_once_each_with_the_seeds_that_were_asked_for(capsys, tmp_path):
    code, out, _ = call(capsys, "sums", "numbers", "sums", "--preset", "smoke", "--seed", "7",
                        "--seeds", "1", "--out", "elsewhere")  # fmt: skip
    assert code == 0 and out.count("Sums over cells") == 1
    document = storage.load_json(tmp_path / "elsewhere" / "sums" / "results.json")
    assert document["seeds"] == [7] and document["preset"] == "smoke"


def test_what_another_one_reads_runs_before_it(capsys, monkeypatch):
    from fake_experiments import numbers

    reading = replace(numbers.EXPERIMENT, beside=("sums",))
    monkeypatch.setattr(numbers, "EXPERIMENT", reading)
    code, out, _ = call(capsys, "numbers", "sums", "--preset", "smoke")
    assert code == 0 and out.index("sums: Sums") < out.index("numbers: Means")


def test_resume_keeps_finished_cells(capsys, faults):
    call(capsys, "numbers", "--preset", "smoke")
    (faults / "log").unlink()
    code, out, _ = call(capsys, "numbers", "--preset", "smoke", "--resume")
    assert code == 0 and "4 of 4 cells are there already" in out
    assert not (faults / "log").exists()


def test_list_names_everything(capsys, tmp_path):
    code, out, _ = call(capsys, "--list")
    assert code == 0 and not (tmp_path / "out").exists()
    assert out.splitlines() == [
        "numbers  M11, table 9   Means of random numbers",
        "sums     M14, figure 9  Sums over cells of another experiment (only when named)",
        "verify   cae_np's own   Test figures again, from trained networks (only when named)",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["number"], "unknown experiment 'number'; did you mean numbers?"),
        (["xyzzy"], "unknown experiment 'xyzzy'; --list shows what there is"),
        (["um"], "unknown experiment 'um'; did you mean numbers or sums?"),
        (["verify", "--seeds", "2"], "verify has no use for --seeds; it takes --backend, "),
        (["--backend", "abacus"], "unknown backend 'abacus'; choose one of"),
        (["--preset", "fast"], "invalid choice: 'fast'"),
        (["--seeds", "0"], "'0' is not a whole number from 1 to 10,000"),
        (["--seeds", "1" * 30], "is not a whole number from 1 to 10,000"),
        (["--data-dir", ""], "argument --data-dir: it is empty; is the variable that you meant"),
        (["--out", ""], "argument --out: it is empty"),
        (["--dask", " "], "argument --dask: it is empty"),
        (["--backend", ""], "argument --backend: it is empty"),
        (["--seed", "-1"], "'-1' is not a whole number from 0 on"),
        (["--seed", "one"], "'one' is not a whole number"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--out"], "expected one argument"),
        (["--jobs", "0"], "argument --jobs: '0' is not a whole number from 1 on"),
        (["--threads", "many"], "argument --threads: 'many' is not a whole number from 1 on"),
        (["--jobs", "2", "--dask", "tcp://a:1"], "--dask: not allowed with argument --jobs"),
        (["--cells", "0/3"], "argument --cells: '0/3' is not I/N with 1 <= I <= N, as in 3/10"),
        (["--cells", "4/3"], "'4/3' is not I/N"),
        (["--cells", "third"], "'third' is not I/N"),
        (["--seed", "99"], "seed 99 asks for a kernel of 9×9"),
    ],
)
def test_mistakes_end_with_one_line_before_anything_runs(capsys, faults, arguments, message):
    code, out, err = call(capsys, *arguments)
    assert code == 2 and out == ""
    assert message in err and err.count("\n") == 1 and err.startswith("run_experiments.py: ")
    assert not (faults / "log").exists()


def test_an_unwritable_out_is_refused(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    for out in ("file", "file/below"):
        code, _, err = call(capsys, "--out", out)
        assert code == 2 and f"--out {out} cannot be written" in err and err.count("\n") == 1


def test_missing_data_are_refused(capsys, monkeypatch, tmp_path):
    from fake_experiments import numbers

    monkeypatch.setattr(numbers, "EXPERIMENT", replace(numbers.EXPERIMENT, data="mnist"))
    code, _, err = call(capsys, "numbers", "--data-dir", str(tmp_path))
    assert code == 2 and err.count("\n") == 1
    assert "mnist is not in" in err and "--data-dir" in err


def test_a_data_folder_that_is_none_is_called_so(capsys, monkeypatch, tmp_path):
    from fake_experiments import numbers

    monkeypatch.setattr(numbers, "EXPERIMENT", replace(numbers.EXPERIMENT, data="mnist"))
    (tmp_path / "file").write_text("")
    for name, what in (("file", "which is a file and no folder"), ("gone", "which does not exist")):
        code, _, err = call(capsys, "numbers", "--data-dir", str(tmp_path / name))
        assert code == 2 and what in err and err.count("\n") == 1


@pytest.mark.parametrize("module", ["scipy", "threadpoolctl"])
def test_a_package_that_is_missing_is_named(tmp_path, module):
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError(name={module!r})")
    ran = started("masci2011-fig1", "--preset", "smoke", PYTHONPATH=str(tmp_path))
    assert ran.returncode == 2 and "Traceback" not in ran.stderr
    assert f"{module} is not installed; pip install -r requirements.txt\n" in ran.stderr


def test_an_old_python_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(run_experiments, "OLDEST_PYTHON", (99, 1))
    code, _, err = call(capsys, "--list")
    assert code == 2 and "is too old; use 99.1 or a newer one" in err and err.count("\n") == 1


def test_times_are_not_measured_beside_other_cells(capsys, monkeypatch):
    from fake_experiments import numbers

    monkeypatch.setattr(numbers, "EXPERIMENT", replace(numbers.EXPERIMENT, timed=True))
    for many in (["--jobs", "2"], ["--dask", "tcp://a:1"]):
        code, out, err = call(capsys, "numbers", *many)
        assert code == 2 and "run it without --jobs and --dask" in err and err.count("\n") == 1
    assert call(capsys, "numbers", "--preset", "smoke")[0] == 0


def test_a_part_leaves_rows_and_report_to_the_last_call(capsys, tmp_path, faults):
    for part in ("1/2", "2/2"):
        code, out, err = call(capsys, "numbers", "--preset", "smoke", "--cells", part)
        assert (code, err) == (0, "") and f"part {part[0]} of 2: 2 cells" in out
        assert "the same call with --resume instead of --cells" in out
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["numbers"]
    assert len((faults / "log").read_text().splitlines()) == 4
    code, out, _ = call(capsys, "numbers", "--preset", "smoke", "--resume")
    assert code == 0 and "4 of 4 cells are there already" in out and "report.html" in out
    (faults / "bug 10").touch()
    code, out, err = call(capsys, "numbers", "--cells", "2/2", "--out", "other")
    assert code == 1 and "something failed; see above" in err and "ZeroDivisionError" in out


def test_a_cell_that_fails_makes_it_1_and_the_report_says_so(capsys, faults, tmp_path):
    (faults / "bug 10").touch()
    code, out, err = call(capsys, "numbers", "--preset", "smoke")
    assert code == 1 and err.count("\n") == 1
    assert "mean 10, seed 0: failed: ZeroDivisionError: division by zero in a layer" in out
    assert "ZeroDivisionError" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_an_interruption_is_130_with_the_command_to_go_on(capsys, faults):
    (faults / "interrupt 1").touch()
    code, _, err = call(capsys, "numbers", "--preset", "smoke")
    assert code == 130 and err.count("\n") == 1
    assert "python run_experiments.py numbers --preset smoke --resume" in err


def test_ctrl_c_keeps_finished_cells(faults, tmp_path):
    (faults / "wait 1").touch()
    environment = os.environ | {"PYTHONPATH": PATHS}
    command = [sys.executable, "-c", PROGRAM, "numbers", "--preset", "smoke"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        while "seed 1" not in (faults / "log").read_text() if (faults / "log").exists() else True:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "mean 0, seed 0" in out
    assert err.count("\n") == 1 and "--resume" in err
    (faults / "wait 1").unlink()
    (faults / "log").unlink()
    resumed = subprocess.run(
        [*command, "--resume"], env=environment, capture_output=True, text=True, check=True
    )
    assert "1 of 4 cells are there already" in resumed.stdout
    assert len((faults / "log").read_text().splitlines()) == 3


def test_a_reader_that_goes_away_is_an_interruption(tmp_path):
    environment = os.environ | {"PYTHONPATH": PATHS}
    command = [sys.executable, "-c", PROGRAM, "numbers", "--preset", "smoke"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 130 and err.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_an_output_that_refuses_lines_is_a_failure_and_no_traceback():
    with open("/dev/full", "w") as full:
        ran = started("--list", stdout=full)
    assert ran.returncode == 1 and ran.stderr.count("\n") == 1
    assert "cannot go on (No space left on device)" in ran.stderr


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors as a shell does")
def test_it_runs_without_anywhere_to_print_to(tmp_path):
    script = 'exec "$0" "$@" >&- 2>&-'
    command = ["sh", "-c", script, sys.executable, "-c", PROGRAM, "numbers", "--preset", "smoke"]
    ran = subprocess.run(command, env=os.environ | {"PYTHONPATH": PATHS})
    assert ran.returncode == 0 and (tmp_path / "out" / "report.html").exists()


def test_a_disk_that_refuses_results_is_a_failure_and_no_traceback(capsys, monkeypatch):
    from cae_np.errors import DataError

    def full(path, value):
        raise DataError(f"cannot write {path} (No space left on device)")

    code, _, _ = call(capsys, "numbers", "--preset", "smoke")
    assert code == 0
    monkeypatch.setattr(storage, "save_json", full)
    code, out, err = call(capsys, "numbers", "--preset", "smoke", "--resume")
    assert code == 1 and "No space left on device" in out and err.count("\n") == 1
    assert "something failed; see above" in err  # there is no report that could say it


def test_warnings_are_one_line_without_source(capsys, monkeypatch):
    import warnings

    from cae_np import command_line

    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    command_line.plain_warnings()
    text = warnings.formatwarning("it is strange", UserWarning, "file.py", 3, "source = 1")
    assert text == "warning: it is strange\n"


def test_experiments_are_counted_and_the_report_is_named_at_once(capsys, tmp_path):
    code, output, _ = call(capsys, "numbers", "sums", "--preset", "smoke")
    lines = output.splitlines()
    starts = ("2 experiments", "report: ", "[1/2] numbers: ", "[2/2] sums: ", "report: ")
    places = [[i for i, line in enumerate(lines) if line.startswith(start)] for start in starts]
    assert code == 0 and "written anew" in lines[places[1][0]]
    assert places[0][0] < places[1][0] < places[2][0] < places[3][0] < places[4][-1]
