"""Every small fault that one module could have, all in one compiled form of it: a switch at each place.

`mutate` rewrites the functions of a module so that each place asks `__mutant__(number)` whether its fault is on. One import
serves all mutants; which tests reach which place is seen by recording what is asked.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

SWITCH = "__mutant__"
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: its number, where it is, in which function, and what became of what."""

    number: int
    line: int
    column: int
    function: str
    was: str
    now: str
    nth: int = 1

    @property
    def key(self) -> str:
        """What names it while the function stays as it is."""
        again = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.function}: {self.was} → {self.now}{again}"


def mutate(source: str, filename: str) -> tuple[ast.Module, list[Mutant]]:
    """The module with all its switches, and its mutants in the order of the file."""
    mutator = _Mutator()
    tree = mutator.visit(ast.parse(source, filename))
    return ast.fix_missing_locations(tree), mutator.mutants


class _Mutator(ast.NodeTransformer):
    """Puts switches into the bodies of functions; what runs on import, annotations and docstrings stay."""

    def __init__(self) -> None:
        self.mutants: list[Mutant] = []
        self.names: list[str] = []
        self.times: dict[str, int] = {}
        self.inside = 0

    # -- what is entered, and what is left alone

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.names.append(node.name)
        depth, self.inside = self.inside, 0
        node.body = [self.visit(inner) for inner in node.body]
        self.inside = depth
        self.names.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.names.append(node.name)
        self.inside += 1
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        kept = node.body[: len(node.body) - len(body)]
        node.body = kept + [inner for statement in body for inner in self._statement(statement)]
        self.inside -= 1
        self.names.pop()
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None and self.inside:
            node.value = self.visit(node.value)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.body = self.visit(node.body)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.body = [inner for statement in node.body for inner in self._statement(statement)]
        return node

    # -- statements

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        was = ast.unparse(node)
        found = self.visit(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom)):
            if isinstance(node.value, ast.Call):
                return [self._either(node, [ast.Pass()], [found], "pass", was)]
        elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            return [self._either(node, [ast.Return(ast.Constant(None))], [found], "return None", was)]
        elif isinstance(node, (ast.Break, ast.Continue)):
            other = ast.Continue() if isinstance(node, ast.Break) else ast.Break()
            return [self._either(node, [other], [found], ast.unparse(other), was)]
        elif isinstance(node, ast.AugAssign) and type(node.op) in _COUNTED:
            counted = ast.parse(was).body[0]
            counted.op = _COUNTED[type(node.op)]()  # type: ignore[attr-defined]
            return [self._either(node, [counted], [found], ast.unparse(counted), was)]
        return [found]

    def _either(
        self, node: ast.stmt, mutated: list[ast.stmt], original: list[ast.stmt], now: str, was: str
    ) -> ast.stmt:
        return ast.If(self._switch(node, now, was), mutated, original)

    def _block(self, rows: list[ast.stmt]) -> list[ast.stmt]:
        return [inner for statement in rows for inner in self._statement(statement)]

    def visit_If(self, node: ast.If) -> ast.AST:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node
        node.test = self._negated(node.test)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self.visit(node.test)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        node.iter = self.visit(node.iter)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        node.body, node.orelse, node.finalbody = map(self._block, (node.body, node.orelse, node.finalbody))
        for handler in node.handlers:
            handler.body = self._block(handler.body)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        node.body = self._block(node.body)
        return node

    # -- expressions

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        other = None
        if len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            other = ast.Compare(node.left, [_COMPARED[type(node.ops[0])]()], node.comparators)
        return self._swapped(node, other)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        other = ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        return self._swapped(node, other)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        return self._swapped(node, node.operand if isinstance(node.op, ast.Not) else None)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        other = _COUNTED.get(type(node.op))
        return self._swapped(node, ast.BinOp(node.left, other(), node.right) if other else None)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._swapped(node, ast.IfExp(node.test, node.orelse, node.body))

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.iter = self.visit(node.iter)
        node.ifs = [self._negated(test) for test in node.ifs]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self._swapped(node, _other_constant(node.value))

    def _negated(self, test: ast.expr) -> ast.expr:
        """A condition, on its own mutants' terms or turned around as a whole."""
        if isinstance(test, (ast.Compare, ast.UnaryOp, ast.BoolOp)):
            return self.visit(test)
        return self._swapped(test, ast.UnaryOp(ast.Not(), test))

    def _swapped(self, node: ast.expr, other: ast.expr | None) -> ast.expr:
        if other is None or not self.inside:
            return self.generic_visit(node) if not isinstance(node, ast.Constant) else node  # type: ignore[return-value]
        switch = self._switch(node, ast.unparse(other))
        plain = _copied(other)
        inner = node if isinstance(node, ast.Constant) else self.generic_visit(node)
        return ast.copy_location(ast.IfExp(switch, plain, inner), node)  # type: ignore[arg-type]

    def _switch(self, node: ast.AST, now: str, was: str = "") -> ast.expr:
        number = len(self.mutants) + 1
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0) + 1
        here = Mutant(number, line, column, ".".join(self.names), was or ast.unparse(node), now)
        self.times[here.key] = self.times.get(here.key, 0) + 1
        self.mutants.append(replace(here, nth=self.times[here.key]))
        return ast.Call(ast.Name(SWITCH, ast.Load()), [ast.Constant(number)], [])


def _copied(node: ast.expr) -> ast.expr:
    """The same expression without switches, which its parts get in the other branch."""
    return ast.parse(ast.unparse(node), mode="eval").body


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _other_constant(value: object) -> ast.Constant | None:
    if isinstance(value, bool):
        return ast.Constant(not value)
    if isinstance(value, int):
        return ast.Constant(value + 1)
    if isinstance(value, str) and " " not in value.strip():  # what has words in it is said to a person
        return ast.Constant(f"{value}~" if value else "~")
    return None
