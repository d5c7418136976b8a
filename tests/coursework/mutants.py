"""Mistakes that nobody thought of: every small change of the loops, one after the other.

A cause that the kit names for such a change must answer like it in calls that the kit never saw;
else it was a wrong cause, said with confidence.
"""

import ast
import copy

from cae_np.coursework.grading import bughunt
from cae_np.coursework.tasks.catalogue import find_task

NAMES = {"i": "j", "j": "i", "p": "q", "q": "p", "u": "v", "v": "u", "n": "k", "k": "c", "c": "k"}
NAMES |= {"H": "W", "W": "H", "kh": "kw", "kw": "kh", "N": "K", "K": "C", "C": "N", "OH": "OW"}
NAMES |= {"dx": "dw", "dw": "dx", "x": "dy", "dy": "x", "ph": "pw", "pw": "ph", "top": "left"}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mod,
    ast.Pow: ast.Mult,
}
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE}


def mutants(name):
    """Functions of a task with one node of their loops changed.

    Parameters
    ----------
    name : str

    Yields
    ------
    what : str
        The changed line, or the last of its block.
    function : callable
    """
    source = bughunt.function_source(find_task(name))
    others = {}
    exec(bughunt.module({}), others)
    for number in range(len(list(_changes(ast.parse(source).body[0])))):
        tree = ast.parse(source)
        line = list(_changes(tree.body[0]))[number]()
        namespace = dict(others)
        try:
            exec(compile(ast.fix_missing_locations(tree), f"mutant of {name}", "exec"), namespace)
        except (SyntaxError, ValueError):  # two arguments of one name, say
            continue
        yield line, namespace[name]


def _changes(function):
    """One closure for each change that can be made below a function's docstring."""
    for statement in function.body[1:]:
        for node in ast.walk(statement):
            yield from _of_node(node, statement)


def _of_node(node, statement):
    def setting(field, value):
        def change():
            setattr(node, field, value)
            return ast.unparse(statement).splitlines()[-1]

        return change

    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in NAMES:
        yield setting("id", NAMES[node.id])
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        yield setting("op", OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield setting("ops", [COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield setting("value", node.value + 1)
        yield setting("value", node.value - 1)
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield setting("elts", list(reversed(copy.copy(node.elts))))
    if isinstance(node, ast.AugAssign):
        yield setting("value", ast.UnaryOp(ast.USub(), node.value))
