"""What comes out of a submission is plain text, of bounded length, and ends nobody's grading."""

import json
import os
import unicodedata
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from cae_np.coursework import check
from cae_np.coursework.__main__ import main
from cae_np.coursework.grading.gate import LONGEST, described, plain_text, rebuilt
from cae_np.coursework.grading.grade import grade
from cae_np.coursework.tasks.catalogue import find_task

TASK = (find_task("scaled_tanh"),)
RIGHT = "import numpy as np\ndef scaled_tanh(x):\n    return 1.7159 * np.tanh(2 / 3 * x)\n"
NASTY = {
    "a surrogate": "\ud800",
    "an escape sequence": "\x1b[2J\x1b[1mscaled_tanh: passed, 10 of 10 points",
}
# Those, a null, an old line end, text that runs from right to left, empty lines, and much of it.
ALL = "".join(NASTY.values()) + "\0\r\u202e" + "\n" * 1000 + "x" * 100_000
# Every way in which text of a submission can reach a report.
WAYS = {
    "an exception": "def scaled_tanh(x):\n    raise ValueError({text})",
    "an exit": "def scaled_tanh(x):\n    raise SystemExit({text})",
    "the name of an exception": "def scaled_tanh(x):\n    raise type({text}.replace(chr(0), ''), "
    "(Exception,), {{}})",
    "an exception's own text": "class Odd(Exception):\n    def __str__(self):\n"
    "        return {text}\ndef scaled_tanh(x):\n    raise Odd",
    "no text at all": "class Odd(Exception):\n    def __str__(self):\n        raise Odd\n"
    "def scaled_tanh(x):\n    raise Odd({text})",
    "a note": "def scaled_tanh(x):\n    error = ValueError({text})\n"
    "    error.add_note({text})\n    raise error",
    "a cause": "def scaled_tanh(x):\n    raise ValueError({text}) from KeyError({text})",
    "the type of a result": "def scaled_tanh(x):\n"
    "    return type({text}.replace(chr(0), ''), (), {{}})()",
    "a result": "def scaled_tanh(x):\n    return {text}",
    "an array that fails": "class Odd:\n    def __array__(self, *a, **k):\n"
    "        raise ValueError({text})\ndef scaled_tanh(x):\n    return Odd()",
    "the file": "raise ValueError({text})",
    "a syntax error": "exec({text} + ' = =')",
    "a frame's file name": "exec(compile('def scaled_tanh(x): 1 / 0', "
    "{text}.replace(chr(0), ''), 'exec'))",
    "prints": "def scaled_tanh(x):\n    print({text})\n    import sys\n"
    "    sys.stderr.write({text})\n    return x",
}


def is_plain(text):
    text.encode("utf-8")
    bad = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")]
    return not bad


@given(st.text(st.characters(categories=None)), st.integers(2, 100))
def test_any_text_becomes_plain(text, longest):
    shown = plain_text(text, longest)
    assert is_plain(shown) and len(shown) <= 2 * longest + 2 + 40
    if text.isprintable() and len(text) <= longest:
        assert shown == text


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_submission_says_is_plain_and_short(tmp_path, capfd, way):
    """Through every way, in a report, on the terminal, in results.json and for check()."""
    source, text = WAYS[way].format(text="TEXT"), f"TEXT = {ALL!a}\n"
    path, out = tmp_path / "exercises.py", tmp_path / "results.json"
    path.write_text(text + source + "\n")
    assert main(["grade", str(path), "--task", "scaled_tanh", "--score-json", str(out)]) == 1
    printed = capfd.readouterr().out
    assert is_plain(printed) and len(printed) < 10 * LONGEST
    written = json.loads(out.read_text(encoding="utf-8"))
    assert is_plain(written["tests"][0]["output"]) and out.stat().st_size < 20 * LONGEST
    (here,) = grade(path, TASK, isolate=False, examples=0)
    assert is_plain(here.report) and here.state == "failed" and here.points == 0
    namespace = {}
    try:
        exec(text + source, namespace)
    except Exception:
        return
    check("scaled_tanh", namespace.get("scaled_tanh"))  # it never raises


@pytest.mark.parametrize("what", NASTY)
def test_one_student_s_text_does_not_end_the_others_grading(tmp_path, capfd, what):
    for name in ("ada", "ben", "cleo"):
        (tmp_path / f"{name}.py").write_text(RIGHT)
    (tmp_path / "ben.py").write_text(
        f"{RIGHT}\ndef im2col(*a):\n    raise ValueError({NASTY[what]!a})\n"
    )
    table, reports = tmp_path / "out.csv", tmp_path / "reports"
    call = ["grade", tmp_path, "--csv", table, "--reports", reports]
    call += ["--task", "im2col", "--task", "scaled_tanh"]
    assert main([str(word) for word in call]) == 0
    rows = table.read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [[n, "10"] for n in ("ada", "ben", "cleo")]
    assert all(is_plain(path.read_text(encoding="utf-8")) for path in reports.iterdir())
    assert is_plain(capfd.readouterr().out)


@pytest.mark.parametrize("name", [b"b\xff\xfe.py", b"b\x1b[2J.py", b"b\n.py", b"\xff.ipynb"])
def test_names_of_files_pass_the_gate(tmp_path, capfd, name):
    """A file name is bytes on Linux, and most things a name can hold are no text."""
    try:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_text(RIGHT if path.suffix == ".py" else "{")
    except OSError:
        pytest.skip("this file system has no such names")
    (tmp_path / "ada.py").write_text(RIGHT)
    table, reports = tmp_path / "out.csv", tmp_path / "reports"
    call = ["grade", tmp_path, "--csv", table, "--reports", reports, "--task", "scaled_tanh"]
    assert main([str(word) for word in call]) == 0
    assert is_plain(table.read_text(encoding="utf-8")) and is_plain(capfd.readouterr().out)
    assert len(list(reports.iterdir())) == (2 if path.suffix == ".py" else 1)
    (tmp_path / "ada.py").unlink()
    assert main(["grade", str(tmp_path), "--task", "scaled_tanh"]) in (0, 2)
    both = capfd.readouterr()
    assert is_plain(both.out + both.err)
    assert main(["grade", str(path) + "gone", "--task", "scaled_tanh"]) == 2
    assert is_plain(capfd.readouterr().err)


ERRORS = (ValueError("a"), KeyError("a"), np.linalg.LinAlgError("a"), np.exceptions.AxisError(3, 2))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_keep_their_type_and_words(error):
    again = rebuilt(**described(error))
    assert type(again).__name__ == type(error).__name__ and str(again) == str(error)
    assert isinstance(again, Exception)
