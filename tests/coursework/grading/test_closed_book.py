"""Closed book: what counts is whose code runs when a function is called."""

import importlib.util
import sys
import threading
import time

import pytest

from cae_np.coursework.grading.grade import grade
from cae_np.coursework.tasks.catalogue import TASKS, find_task

IM2COL, TANH, UNPOOL = (find_task(name) for name in ("im2col", "scaled_tanh", "unpool"))
HAS_TORCH = bool(importlib.util.find_spec("torch"))
OWN = """
import numpy as np

def im2col(x, kh, kw):
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    return np.ascontiguousarray(windows.transpose(1, 4, 5, 0, 2, 3))
"""
# What may stand in a file whose function is its own.
HARMLESS = {
    "nothing": "",
    "a data set of a library": "try:\n    from sklearn.datasets import load_digits\n"
    "    load_digits()\nexcept ImportError:\n    pass",
    "a library used elsewhere": "import scipy.signal\n"
    "print(scipy.signal.correlate2d(np.ones((3, 3)), np.ones((2, 2))))",
    "a guarded import": "try:\n    import torch\nexcept ImportError:\n    torch = None",
    "eval elsewhere": "three = eval('1 + 2')\nexec('four = 4')",
    "importlib elsewhere": "import importlib\nmath = importlib.import_module('math')",
    "the answers imported, not used": "from cae_np.ops import im2col as theirs, col2im",
    "the answers imported first": "",
    "checks of one's own": "from cae_np.coursework import check\ncheck('im2col', im2col)\n"
    "from cae_np import ops\nassert (ops.im2col(np.ones((1, 1, 3, 3)), 2, 2) == 1).all()",
    "another task's answer": "from cae_np import ops\n"
    "def scaled_tanh(x):\n    return ops.scaled_tanh(x)",
    "a name that looks like it": "import numpy as signal\ntorch = 'cae_np.ops.im2col'",
    "a program at its start": "import subprocess\nsubprocess.run(['true'])",
    "an import inside of the function": "own = im2col\ndef im2col(x, kh, kw):\n"
    "    try:\n        import scipy.ndimage\n    except ImportError:\n        pass\n"
    "    return own(x, kh, kw)",
}
# Ways of taking im2col from elsewhere.
TAKEN = {
    "by its name": "from cae_np.ops import im2col",
    "by another name": "from cae_np.ops import im2col as mine\n"
    "def im2col(x, kh, kw):\n    return mine(x, kh, kw)",
    "with everything": "from cae_np.ops import *",
    "as an attribute": "import cae_np.ops as o\ndef im2col(x, kh, kw):\n"
    "    return o.im2col(x, kh, kw)",
    "by a name put together": "from cae_np import ops\nim2col = getattr(ops, 'im2' + 'col')",
    "from a module's dictionary": "from cae_np import ops\nim2col = vars(ops)['im2col']",
    "through importlib": "import importlib\nim2col = importlib.import_module('cae_np.ops').im2col",
    "through eval": "im2col = eval(\"__import__('cae_np.ops', fromlist=['x']).im2col\")",
    "through exec in the function": "def im2col(x, kh, kw):\n    names = {}\n"
    "    exec('from cae_np.ops import im2col', names)\n    return names['im2col'](x, kh, kw)",
    "through sys.modules": "import sys\nimport cae_np.ops\n"
    "im2col = sys.modules['cae_np.ops'].im2col",
    "through partial": "from functools import partial\nfrom cae_np import ops\n"
    "im2col = partial(ops.im2col)",
    "in a class": "from cae_np import ops\nclass C:\n    def __call__(self, *a):\n"
    "        return ops.im2col(*a)\nim2col = C()",
    "from the garbage collector": "import gc\nimport cae_np.ops\nim2col = [f for f in "
    "gc.get_objects() if getattr(f, '__module__', '') == 'cae_np.ops.im2col' "
    "and f.__name__ == 'im2col'][0]",
    "unwrapped": "from cae_np import ops\nimport inspect\nim2col = inspect.unwrap(ops.im2col)",
    "as its code": "from cae_np import ops\nimport inspect, types\n"
    "im2col = inspect.unwrap(ops.im2col)\n"
    "im2col = types.FunctionType(im2col.__code__, im2col.__globals__, 'f', (None,))",
    "as its code under another file's name": "from cae_np.ops import reference\n"
    "import types\nfrom cae_np import ops\nimport inspect\nf = inspect.unwrap(ops.im2col)\n"
    "im2col = types.FunctionType(f.__code__.replace(co_filename='x'), f.__globals__, 'f', (None,))",
    "as its source": "from cae_np import ops\nimport inspect\n"
    "f = inspect.unwrap(ops.im2col)\nnames = dict(f.__globals__)\n"
    "source = inspect.getsource(f)\n"
    "exec(source[source.index('def '):], names)\nim2col = names['im2col']",
    "as loops": "from cae_np.ops import reference\nim2col = reference.im2col",
    "from the inside of it": "from cae_np.ops.kernels.layout import batch_last\nown = im2col\n"
    "def im2col(x, kh, kw):\n    batch_last(x)\n    return own(x, kh, kw)",
    "from the solutions": "from cae_np.spec.implementation import implementation\n"
    "def im2col(x, kh, kw):\n    return implementation().im2col(x, kh, kw)",
    "from the table of tasks": "from cae_np.coursework.tasks.catalogue import find_task\n"
    "def im2col(x, kh, kw):\n    return find_task('im2col').solution(x, kh, kw)",
    "now and then": "from cae_np import ops\ncalls = 0\nown = im2col\n"
    "def im2col(x, kh, kw):\n    global calls\n    calls += 1\n"
    "    return (own if calls < 100 else ops.im2col)(x, kh, kw)",
    "in a thread": "from cae_np import ops\nfrom concurrent.futures import ThreadPoolExecutor\n"
    "def im2col(x, kh, kw):\n    with ThreadPoolExecutor() as p:\n"
    "        return p.submit(ops.im2col, x, kh, kw).result()",
    "in a thread of before": "from cae_np import ops\n"
    "from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor(1)\n"
    "p.submit(int).result()\ndef im2col(x, kh, kw):\n"
    "    return p.submit(ops.im2col, x, kh, kw).result()",
    "in another program": "import subprocess, sys\nown = im2col\ndef im2col(x, kh, kw):\n"
    "    subprocess.run([sys.executable, '-c', 'pass'])\n    return own(x, kh, kw)",
    "in another process": "import os\nown = im2col\ndef im2col(x, kh, kw):\n"
    "    if os.fork() == 0:\n        os._exit(0)\n    return own(x, kh, kw)",
    "with nobody looking": "import sys\nfrom cae_np import ops\ndef im2col(x, kh, kw):\n"
    "    sys.setprofile(None)\n    return ops.im2col(x, kh, kw)",
    "from a library": "import scipy as sp, scipy.signal\nown = im2col\n"
    "def im2col(x, kh, kw):\n    sp.signal.correlate2d(np.ones((3, 3)), np.ones((2, 2)))\n"
    "    return own(x, kh, kw)",
    "from a library by another name": "import scipy.ndimage as n\nown = im2col\n"
    "def im2col(x, kh, kw):\n    getattr(n, 'correlate')(np.ones(3), np.ones(3))\n"
    "    return own(x, kh, kw)",
    "while a file beside it is imported": "import importlib, sys\ndef im2col(*arguments):\n"
    "    sys.arguments = arguments\n    sys.modules.pop('late', None)\n    import late\n"
    "    return late.answer",
    "from a file beside it": "import helper\nim2col = helper.theirs",
}
if HAS_TORCH:
    TAKEN["from torch"] = (
        "import torch\ndef im2col(x, kh, kw):\n"
        "    w = torch.from_numpy(np.ascontiguousarray(x)).unfold(2, kh, 1).unfold(3, kw, 1)\n"
        "    return w.permute(1, 4, 5, 0, 2, 3).contiguous().numpy()"
    )


@pytest.mark.parametrize("what", HARMLESS)
def test_what_a_function_does_not_reach_costs_nothing(submit, what):
    first = "from cae_np.ops import *\n" if what == "the answers imported first" else ""
    path = submit(first + OWN + HARMLESS[what])
    (result,) = grade(path, (IM2COL,), closed_book=True, examples=0)
    assert result.passed, result.report


def refusal(submit, folder, how, isolate):
    (folder / "helper.py").write_text(
        "from cae_np import ops\ndef theirs(*a):\n    return ops.im2col(*a)\n"
    )
    (folder / "late.py").write_text(
        "import sys\nfrom cae_np import ops\nanswer = ops.im2col(*sys.arguments)\n"
    )
    path = submit(OWN + TAKEN[how])
    (result,) = grade(path, (IM2COL,), closed_book=True, isolate=isolate, examples=0)
    assert result.state == "refused" and result.points == 0, result.report
    return result.report


@pytest.mark.parametrize("how", TAKEN)
def test_what_a_function_reaches_is_refused_however_it_does(submit, tmp_path, how):
    report = refusal(submit, tmp_path, how, isolate=True)
    assert "Closed book: line " in report and "write im2col yourself" in report
    named = {"from a file beside it": "helper.py", "while a file beside it is imported": "late.py"}
    assert f" of {named.get(how, 'exercises.py')} " in report


@pytest.mark.parametrize("how", ["through eval", "in a thread", "with nobody looking", "as loops"])
def test_it_is_refused_without_isolation_too(submit, tmp_path, how):
    profiles = sys.getprofile(), threading.getprofile()
    refusal(submit, tmp_path, how, isolate=False)
    assert (sys.getprofile(), threading.getprofile()) == profiles


def test_only_the_tasks_concerned_are_refused(submit):
    path = submit(OWN + "from cae_np.ops import scaled_tanh, max_pool_backward as unpool")
    results = grade(path, (IM2COL, TANH, UNPOOL), closed_book=True, examples=0)
    assert [result.state for result in results] == ["passed", "refused", "refused"]
    assert "takes max_pool_backward from cae_np.ops.pool" in results[2].report
    assert [r.points for r in grade(path, (IM2COL, TANH, UNPOOL), examples=0)] == [10, 10, 10]


def test_open_book_looks_at_nothing(submit):
    source = "import sys\nassert sys.getprofile() is None\nfrom cae_np.ops import im2col"
    assert grade(submit(source), (IM2COL,), examples=0)[0].passed


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_stubs_and_the_kit_itself_are_never_refused(submit, task):
    source = f"def {task.name}(*arguments):\n    return arguments[0]\n"
    if task.trial:
        source = (
            "import numpy as np\ndef gradient_check(forward, backward, *arrays):\n"
            "    y = np.asarray(forward(*arrays))\n    backward(np.ones(y.shape), *arrays)\n"
            "    return True\n"
        )
    (result,) = grade(submit(source), (task,), closed_book=True, examples=0)
    assert result.state == "failed" and "Closed book" not in result.report


def test_looking_on_takes_little_time(submit):
    took = {}
    for closed_book in (False, True):
        start = time.process_time()
        how = {"closed_book": closed_book, "isolate": False, "examples": 0}
        assert grade(submit(OWN), (IM2COL,), **how)[0].passed
        took[closed_book] = time.process_time() - start
    assert took[True] < 3 * took[False] + 0.5, took
