"""What runs in Jupyter is graded; what cannot be run here is named, with its cell."""

import json
import subprocess
import sys
import textwrap

import pytest

from cae_np.coursework.grading.grade import grade
from cae_np.coursework.grading.submission import Submission
from cae_np.coursework.tasks.catalogue import find_task

TANH = (find_task("scaled_tanh"),)
DEF = "def f():\n    return 7\n"
INDENTED = textwrap.indent(DEF, "    ")
# Cells after which there is a function f in Jupyter.
CELLS = {
    "time above": f"%%time\n{DEF}",
    "capture above": f"%%capture\n{DEF}",
    "capture into a name": [f"%%capture said\n{DEF}", "said.show()\nassert said.stdout == ''"],
    "magic below empty lines and a remark": f"\n\n%%time\n{DEF}",
    "two magics above": f"%%time\n%%capture\n{DEF}",
    "magic below magic": f"%%time\n%matplotlib inline\n{DEF}",
    "prun above": f"%%prun -q\n{DEF}",
    "display": f"display(1)\n{DEF}",
    "display imported": f"from IPython.display import display, HTML\ndisplay(HTML('x'))\n{DEF}",
    "the shell": f"get_ipython().run_line_magic('matplotlib', 'inline')\n{DEF}",
    "the shell's class": f"assert get_ipython() is not None\n{DEF}",
    "the shell's namespace": f"get_ipython().user_ns['g'] = 1\nassert g == 1\n{DEF}",
    "a shell's lines": f"x = !echo a\n{DEF}",
    "a shell's lines in a block": f"if True:\n    x = !echo a\n{DEF}",
    "a command": f"!true\n{DEF}",
    "a continued command": f"!echo a \\\n   b \\\n   c\n{DEF}",
    "a continued magic": f"%env A= \\\n  1\n{DEF}",
    "a command with braces": f"a = 1\n!echo {{a}} $a\n{DEF}",
    "timeit kept": f"t = %timeit -o -n 1 -r 1 sum(range(3))\nprint(f'{{t.average:.3f}}')\n{DEF}",
    "time kept": f"t = %time sum(range(3))\nassert t == 3\n{DEF}",
    "timeit": f"%timeit -n1 -r1 sum(range(3))\n{DEF}",
    "time of an assignment": f"%time y = 3\nassert y == 3\n{DEF}",
    "await": f"import asyncio\nawait asyncio.sleep(0)\n{DEF}",
    "await in a loop": "import asyncio\nasync def g():\n    return 1\n"
    f"for _i in range(2):\n    x = await g()\nassert x == 1\n{DEF}",
    "await with": "import contextlib\n@contextlib.asynccontextmanager\n"
    "async def g():\n    yield 1\n"
    f"async with g() as x:\n    pass\n{DEF}",
    "a task of an earlier cell": [
        "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(0, 5))",
        f"assert await task == 5\n{DEF}",
    ],
    "an indented cell": INDENTED,
    "an indented cell with magic": f"    %matplotlib inline\n{INDENTED}",
    "the last value": ["1 + 2", f"assert _ == 3 and Out[1] == 3 and _1 == 3\n{DEF}"],
    "the last but one": ["1", "2", f"assert (_, __) == (2, 1)\n{DEF}"],
    "a value that is not shown": ["1", "2;", f"assert _ == 1\n{DEF}"],
    "an underscore of one's own": ["for _ in range(3): pass", "5", f"assert _ == 2\n{DEF}"],
    "what was put in": ["1", f"assert In[1] == '1'\n{DEF}"],
    "help": f"len?\n?len\nlen??\n{DEF}",
    "a text that looks like magic": f's = """\n%time\n!ls\n"""\nassert "!ls" in s\n{DEF}',
    "an operator that looks like magic": f"x = (5\n% 3)\nassert x == 2\n{DEF}",
    "a semicolon": f"{DEF}f();",
    "autocall": f"%load_ext autoreload\n%autoreload 2\n{DEF}",
    "the main module": f"if __name__ == '__main__':\n{INDENTED}",
    "a dataclass": "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: 'int' = 7\n"
    "import pickle\npickle.loads(pickle.dumps(A()))\ndef f():\n    return A().x\n",
    "after an error": ["1 / 0", "def f(:", DEF],
    "a helper that is run": f"%run helper.py\nassert helped == 1\n{DEF}",
    "a helper that is imported": f"import helper\nassert helper.helped == 1\n{DEF}",
    "a file beside it": f"with open('helper.py') as file:\n    assert file.read()\n{DEF}",
    "a helper that was written by a cell": [
        "%%writefile written.py\nx = 3",
        f"import written\nassert written.x == 3\n{DEF}",
    ],
    "an empty cell": ["", "# nothing", DEF],
}


def write(folder, cells):
    cells = [cells] if isinstance(cells, str) else cells
    path = folder / "exercises.ipynb"
    notebook = {"cells": [{"cell_type": "code", "source": source} for source in cells]}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "helper.py").write_text("helped = 1\n")
    return path


def test_jupyter_runs_all_of_them(tmp_path):
    """Else the others would prove nothing: IPython's own shell, in a process of its own."""
    code = """
import asyncio, json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.history import HistoryManager
HistoryManager.enabled = False
InteractiveShell.enable_gui = lambda *a: None
async def run():
    for what, cells in json.load(sys.stdin).items():
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance()
        for cell in [cells] if isinstance(cells, str) else cells:
            python = shell.transform_cell(cell)
            if shell.should_run_async(cell, transformed_cell=python):
                await shell.run_cell_async(cell, store_history=True, transformed_cell=python)
            else:
                shell.run_cell(cell, store_history=True)
        f = shell.user_ns.get("f")
        if not f or f() != 7:
            print("MISSING", what)
asyncio.run(run())
"""
    write(tmp_path, "")
    command = [sys.executable, "-c", code]
    ours = {"PATH": "/usr/bin:/bin", "IPYTHONDIR": str(tmp_path), "MPLBACKEND": "Agg"}
    how = {"capture_output": True, "text": True, "cwd": tmp_path, "env": ours}
    said = subprocess.run(command, input=json.dumps(CELLS), **how)
    assert "MISSING" not in said.stdout and said.returncode == 0, said.stdout[-3000:] + said.stderr


@pytest.mark.parametrize("with_ipython", [True, False])
@pytest.mark.parametrize("what", CELLS)
def test_what_runs_in_jupyter_is_graded(tmp_path, monkeypatch, what, with_ipython):
    if not with_ipython:
        if what == "display imported":
            pytest.skip("where there is no IPython, its modules cannot be imported")
        monkeypatch.setitem(sys.modules, "IPython", None)
        monkeypatch.setitem(sys.modules, "IPython.core.inputtransformer2", None)
    monkeypatch.chdir(tmp_path)
    submission = Submission(write(tmp_path, CELLS[what]))
    with submission.imports_of_its_own():
        submission.run()
        f = submission.function("f")
        assert f and f() == 7, submission.problems


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["", "%%cython\ndef scaled_tanh(x):\n    return x"], "code cell 2"),
        (["x = !ls\nx[0]\ndef scaled_tanh(x):\n    return x"], "shell commands are not run here"),
        (["1", "%%time\n\n1 / 0\ndef scaled_tanh(x):\n    return x"], "line 3 of code cell 2"),
        (["%%time\nx = = 1\ndef scaled_tanh(x):\n    return x"], "line 2 of code cell 1"),
        (["%%bash\ndef scaled_tanh"], "not started"),
    ],
)
def test_what_cannot_be_run_is_named_with_its_cell(tmp_path, cells, words):
    (result,) = grade(write(tmp_path, cells), TANH)
    assert result.points == 0 and words in result.report


@pytest.mark.parametrize("isolate", [True, False])
def test_what_lies_beside_a_notebook_is_found_from_any_folder(tmp_path, isolate):
    source = "import helper\nwith open('helper.py') as file:\n    factor = 0.7159 + len([*file])\n"
    source += "import numpy as np\ndef scaled_tanh(x):\n    return factor * np.tanh(2 / 3 * x)"
    assert grade(write(tmp_path, source), TANH, examples=0, isolate=isolate)[0].passed


def test_a_script_made_from_a_notebook_is_graded(tmp_path):
    """As jupyter nbconvert --to script writes it."""
    path = tmp_path / "exercises.py"
    path.write_text(
        "#!/usr/bin/env python\n# coding: utf-8\n# In[1]:\n"
        "get_ipython().run_line_magic('matplotlib', 'inline')\nimport numpy as np\n# In[2]:\n"
        "get_ipython().run_cell_magic('time', '', 'def scaled_tanh(x):\\n"
        "    return 1.7159 * np.tanh(2 / 3 * x)\\n')\n"
    )
    assert grade(path, TANH, examples=0)[0].passed
