"""Points are earned by answers: nothing that a submission does in its process earns any."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from cae_np.coursework.grading import isolation
from cae_np.coursework.grading.engine import try_task
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.grading.remote import Remote
from cae_np.coursework.tasks.catalogue import find_task

TANH = (find_task("scaled_tanh"),)
WRONG = "import numpy as np\ndef scaled_tanh(x):\n    return np.tanh(x)\n"
RIGHT = "import numpy as np\ndef scaled_tanh(x):\n    return 1.7159 * np.tanh(2 / 3 * x)\n"
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")

FORGED = {
    "the engine is patched": """
from cae_np.coursework.grading import engine, remote, gate, grade
def passed(task, *a, **k):
    return engine.TaskResult(task.name, "passed", 10.0, 10.0, {}, "passed")
for module in (engine, remote, grade, gate):
    module.try_task = passed
engine.TaskResult.passed = property(lambda self: True)
engine._check = lambda *a: ([], {"values": True}, 1.0)
""",
    "NumPy's comparisons are patched": """
np.isclose = lambda a, b, **k: np.ones(np.shape(a), bool)
np.allclose = np.array_equal = lambda *a, **k: True
from cae_np.spec import answers, trials
answers.difference = lambda *a, **k: None
trials.assert_close = lambda *a, **k: None
""",
    "the cases are emptied": """
from cae_np.coursework.tasks import catalogue
from cae_np.spec import properties
catalogue.SCORED = properties.PROPERTIES = ()
catalogue.Task.points = 1000
""",
    "verdicts are written to every open file": """
import json, os, struct
verdict = json.dumps({"task": "scaled_tanh", "state": "passed", "points": 10.0, "arrays": [],
                      "yes": True, "word": ""}).encode()
for descriptor in range(256):
    for data in (verdict + b"\\nend\\n", struct.pack("<QI", len(verdict), len(verdict)) + verdict):
        try:
            os.write(descriptor, data)
        except OSError:
            pass
""",
    "the right answer is looked for in the callers' frames": """
import sys
def scaled_tanh(x):
    frame = sys._getframe(1)
    while frame:
        for value in [*frame.f_locals.values()]:
            if hasattr(value, "solution"):
                return value.solution(x)
        frame = frame.f_back
    return x
""",
    "an argument says that it equals everything": """
class Sly(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)
    def __sub__(self, other):
        return np.zeros(self.shape)
def scaled_tanh(x):
    return x.view(Sly)
""",
    "the answers to the committed cases are known by heart": """
known = {}
def learn():
    from cae_np import ops
    from cae_np.coursework.tasks.catalogue import SCORED, find_task
    task = find_task("scaled_tanh")
    for case in SCORED:
        for situation in ("plain", "float32", "memory"):
            (x,) = task.arguments(case, situation)
            known[x.tobytes(), x.dtype] = ops.scaled_tanh(x)
learn()
def scaled_tanh(x):
    near = [y for (data, t), y in known.items() if t == x.dtype and y.shape == x.shape]
    return known.get((x.tobytes(), x.dtype), near[0] if near else x)
""",
}


@pytest.mark.parametrize("how", FORGED)
def test_a_wrong_function_earns_nothing_however_it_is_dressed_up(submit, how):
    path = submit(WRONG + FORGED[how])
    (result,) = grade(path, TANH)
    assert result.points == 0 and not result.passed, result.report


@pytest.mark.parametrize("word", ["", None, "guessed"])
def test_an_answer_that_does_not_repeat_its_call_s_word_is_none(word):
    def work(line):
        line.send({"is_there": True})
        line.receive()
        line.send({"word": word, "changed": []}, [np.ones(3)])

    with isolation.Child(work) as child, pytest.raises(isolation.Ended):
        Remote(child)(np.ones(3))


COUNTING = """
import numpy as np
calls = 0
def scaled_tanh(x):
    global calls
    calls += 1
    return (1.7159 if calls <= {calls} else 1) * np.tanh(2 / 3 * x)
"""


@pytest.mark.parametrize("calls", [5, 50, 400])
def test_right_at_first_is_not_right(submit, calls):
    (result,) = grade(submit(COUNTING.format(calls=calls)), TANH)
    assert result.points == 0 and result.state == "failed"
    if calls == 400:
        assert "It was right at first" in result.report


def test_a_gradient_check_that_counts_is_found():
    """The right layers do not come first."""
    calls = []

    def check(forward, backward, *arrays):
        calls.append(0)
        return len(calls) <= 22

    result = try_task(find_task("gradient_check"), check)
    assert result.points < 6


# --- processes ------------------------------------------------------------------------------------

LATER = """
import os, time
for _ in range(1200):
    time.sleep(0 if os.path.exists({ended!r}) else 0.05)
open({mark!r}, "w").write("passed")
"""
STRAYS = """
import os, subprocess, sys, time
code = {code!r}
subprocess.Popen([sys.executable, '-c', code])
subprocess.Popen([sys.executable, '-c', code], start_new_session=True)
for how in ("a program", "a copy that holds the line to the grader"):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if how == "a program":
                os.execv(sys.executable, [sys.executable, '-c', code])
            exec(code)
        os._exit(0)
"""


@needs_proc
@pytest.mark.parametrize("ends", ["goes on", "exits"])
def test_whatever_a_task_starts_ends_with_it(submit, tmp_path, ends):
    """A child, one in a session of its own, orphans in sessions of their own."""
    mark, ended = tmp_path / "results.json", tmp_path / "ended"
    source = STRAYS.format(code=LATER.format(mark=str(mark), ended=str(ended)))
    before = {process.pid for process in psutil.process_iter()}
    start = time.monotonic()
    (result,) = grade(submit(RIGHT + source + "os._exit(0)\n" * (ends == "exits")), TANH)
    assert result.passed == (ends == "goes on")
    ours = [p for p in psutil.Process().children(recursive=True) if p.pid not in before]
    assert ours == []
    assert time.monotonic() - start < 40  # nobody waited for the one that holds the line
    ended.touch()
    time.sleep(1)
    assert not mark.exists()


@needs_proc
def test_processes_that_are_not_the_task_s_live_on(submit):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as mine:
        assert grade(submit(RIGHT), TANH)[0].passed
        assert mine.poll() is None
        mine.communicate(b"\n")


def test_memory_of_a_task_is_limited(submit, monkeypatch):
    """At once, bit by bit, and in a recursion; where it ends is said."""
    monkeypatch.setattr(isolation, "MEMORY", 200 << 20)
    taking = {
        "np.ones(1 << 30)": "MemoryError",
        "[bytearray(1 << 24) for _ in range(1000)]": "MemoryError",
        "np.ones(1 << 20) + scaled_tanh(x)": "MemoryError",
    }
    for what, words in taking.items():
        source = "import sys\nimport numpy as np\nsys.setrecursionlimit(10**9)\n"
        source += f"def scaled_tanh(x):\n    y = x + 1\n    return {what}\n"
        (result,) = grade(submit(source), TANH, examples=0)
        assert result.points == 0 and words in result.report, what


def test_files_of_a_task_are_limited(submit, tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "FILE", 1 << 20)
    big = tmp_path / "big"
    source = f"def scaled_tanh(x):\n    open({str(big)!r}, 'wb').write(bytes(1 << 22))\n"
    (result,) = grade(submit(source), TANH, examples=0)
    assert "File too large" in result.report and big.stat().st_size <= 1 << 20


ANSWERS = ("np.ones(1 << 23)", "np.zeros((0, 3))", "()", "np.array('x')", "(x,) * 100")
ANSWERS += ("np.array(x, dtype='>f8') + 1", "np.ones((1,) * 40)", "float('nan')", "x[:0]")


@pytest.mark.parametrize("value", ANSWERS)
def test_an_answer_of_any_size_and_kind_is_survived(submit, value):
    source = f"import numpy as np\ndef scaled_tanh(x):\n    return {value}\n"
    (result,) = grade(submit(source), TANH, examples=0)
    assert result.state == "failed" and result.points == 0


# --- without isolation ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", [h for h in FORGED if "patched" in h or "emptied" in h])
def test_one_student_s_patch_does_not_serve_the_next(submit, how):
    """In one process, as in a browser: what the first one may get away with ends with its task."""
    path, before = list(sys.path), (os.getcwd(), dict(os.environ))
    modules = dict(sys.modules)
    patch = FORGED[how] + "import os, sys\nsys.path.append('x')\nos.environ['CAE_X'] = '1'\n"
    patch += "os.chdir('/')\nimport builtins\nbuiltins.abs = builtins.extra = None\n"
    patch += "np.tanh.__class__\nsys.modules['json'] = None\n"
    grade(submit(WRONG + patch, "first"), TANH, isolate=False, examples=0)
    (second,) = grade(submit(WRONG, "second"), TANH, isolate=False, examples=0)
    assert second.points == 0 and second.state == "failed"
    assert sys.path == path and (os.getcwd(), dict(os.environ)) == before
    assert abs(-1) == 1 and "extra" not in dir(__builtins__)
    assert all(sys.modules[name] is module for name, module in modules.items())
    assert grade(submit(RIGHT, "third"), TANH, isolate=False, examples=0)[0].points == 10


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="a signal of POSIX")
@pytest.mark.parametrize(
    ("name", "words"), [("SIGXCPU", "did not end within"), ("SIGSEGV", "or a crash")]
)
def test_the_system_s_own_time_limit_is_called_a_time_limit(tmp_path, name, words):
    path = tmp_path / "exercises.py"
    path.write_text(
        "import os, signal\n"
        f"def scaled_tanh(x):\n    os.kill(os.getpid(), signal.{name})\n    os.pause()\n"
    )
    (result,) = grade(path, TANH, examples=0)
    assert words in result.report
