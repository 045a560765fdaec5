"""FHIRPath to Python closures, over plain JSON trees and with the types of the definitions.

http://hl7.org/fhirpath/N1/ and https://hl7.org/fhir/R4/fhirpath.html. An expression that cannot be compiled raises
Unsupported when it is compiled, never when it is run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapter.definitions import Definitions
from adapter.validation.fhirpath import functions, operators
from adapter.validation.fhirpath.parsing import Syntax, Unsupported, parse
from adapter.validation.fhirpath.values import STEPS, Bare, Failed, Items, TooCostly, truth

Tree = dict[str, Any]
CONSTANTS = {"ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
SYSTEM_TYPES = {
    "Boolean": ("boolean",),
    "String": ("string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid"),
    "Integer": ("integer", "positiveInt", "unsignedInt"),
    "Decimal": ("decimal",),
    "Date": ("date",),
    "DateTime": ("dateTime", "instant"),
    "Time": ("time",),
}


@dataclass(slots=True)
class Env:
    """What an expression can see besides its focus. `resolve` gives the resource that a Reference leads to, or None.

    `left` are the steps that this evaluation may still take, `budget` those of several together, which share the list;
    `context` is %context where that is not the resource.
    """

    resource: Tree
    root: Tree
    resolve: Callable[[Any], Any] = lambda _: None
    variables: dict[str, Items] = field(default_factory=dict)
    left: int = STEPS
    context: Any = None
    budget: list[int] | None = None

    def spend(self, count: int) -> None:
        """Counts steps of this evaluation. Raises TooCostly where none is left."""
        self.left -= count
        if self.left < 0:
            raise TooCostly("the expression takes too many steps")


Eval = Callable[[Items, Env], Items]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A closure and the types that its items may have (empty: not known). `keys` are the JSON names of a child step."""

    run: Eval
    types: tuple[str, ...] = ()
    base: Compiled | None = None
    keys: tuple[tuple[str, str], ...] = ()
    ask: Callable[[Items, Env], bool | None] | None = None

    @property
    def test(self) -> Callable[[Items, Env], bool | None]:
        """The same as a truth value."""
        run = self.run
        return self.ask or (lambda focus, env: truth(run(focus, env)))


def asked(ask: Callable[[Items, Env], bool | None]) -> Compiled:
    """An expression whose result is a truth value, None for empty."""

    def run(focus: Items, env: Env) -> Items:
        answer = ask(focus, env)
        return [] if answer is None else [answer]

    return Compiled(run, ("boolean",), ask=ask)


def compile_boolean(
    defs: Definitions, expression: str, type_name: str, *, lenient: bool = False
) -> Callable[[Any, Env], bool]:
    """An invariant over values of a type: true where it holds; empty counts as false.

    Where `lenient`, an element that the type does not have is empty, as for an expression over every type of a choice.

    Raises Unsupported; the closure raises Failed where an expression cannot be evaluated on this data.
    """
    test = Compiler(defs, lenient=lenient).compile(parse(expression), (type_name,)).test

    def holds(value: Any, env: Env) -> bool:
        env.left = STEPS
        return test([value], env) is True

    return holds


def compile_path(
    defs: Definitions, expression: str, type_name: str = "", *, resource: str = "", lenient: bool = False
) -> Callable[[Any, Env], Items]:
    """Any expression, with its result as a list; `resource` is the type of %resource, where it is known."""
    compiler = Compiler(defs, lenient=lenient, resource=resource)
    run = compiler.compile(parse(expression), (type_name,) if type_name else ()).run

    def result(value: Any, env: Env) -> Items:
        if env.budget is None:
            env.left = STEPS
            return run([value], env)
        env.left = given = min(STEPS, env.budget[0])
        try:
            env.spend(1)
            return run([value], env)
        finally:
            env.budget[0] -= given - max(env.left, 0)

    return result


class Compiler:
    """Compiles syntax trees against one version's definitions."""

    def __init__(self, defs: Definitions, *, lenient: bool = False, resource: str = "") -> None:
        self.defs = defs
        self.lenient = lenient
        self.resource = (resource,) if resource else ()

    def compile(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        """The closure of a tree, whose `$this` is of one of the types."""
        made: Compiled = getattr(self, "_" + tree.kind)(tree, this)
        return made

    def _literal(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        items = [tree.value]
        return Compiled(lambda _focus, _env: items)

    def _empty(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        return Compiled(lambda _focus, _env: [])

    def _this(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        return Compiled(lambda focus, _env: focus, this)

    def _index(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        raise Unsupported("$index is not supported")

    def _variable(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        name: str = tree.value
        if name == "context":
            return Compiled(lambda _focus, env: [env.resource if env.context is None else env.context])
        if name == "resource":
            return Compiled(lambda _focus, env: [env.resource], self.resource)
        if name == "rootResource":
            return Compiled(lambda _focus, env: [env.root])
        constant = CONSTANTS.get(name)
        if constant:
            return Compiled(lambda _focus, _env: [constant])

        def variable(_: Items, env: Env) -> Items:
            if name not in env.variables:
                raise Failed(f"%{name} is not known")
            return env.variables[name]

        return Compiled(variable)

    def _name(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        name: str = tree.value
        if name[:1].isupper() and (name in this or not this or name in ("Resource", "DomainResource")):
            return Compiled(lambda focus, _env: focus, this)
        return self.child(Compiled(lambda focus, _env: focus, this), name)

    def _child(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        return self.child(self.compile(tree.parts[0], this), tree.value)

    def child(self, base: Compiled, name: str) -> Compiled:
        """The step to a child, by its name in JSON; a choice by each of its names."""
        keys, known = self._keys(base.types, name)
        if not known:
            return Compiled(functions.loose_child(base.run, name))
        types = tuple(dict.fromkeys(kind for _, kind in keys))
        return Compiled(functions.child(base.run, keys), types, base, keys)

    def _keys(self, types: tuple[str, ...], name: str) -> tuple[tuple[tuple[str, str], ...], bool]:
        found: list[tuple[str, str]] = []
        for each in types:
            if each in ("Resource", "DomainResource") or each.partition(".")[0] not in self.defs:
                return (), False
            elements = self.defs.type(each).elements.values()
            found += [(e.name, e.type) for e in elements if e.choice == name or (e.name == name and not e.choice)]
        if types and not found and not self.lenient:
            raise Unsupported(f"{types[0]} has no element {name}")
        return tuple(dict.fromkeys(found)), bool(types)

    def _at(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        base, index = self.compile(tree.parts[0], this), self.compile(tree.parts[1], this)
        return Compiled(functions.at(base.run, index.run), base.types)

    def _negative(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        inner = self.compile(tree.parts[0], this).run
        return Compiled(lambda focus, env: [-item for item in inner(focus, env)])

    def _operator(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        left, right = (self.compile(part, this) for part in tree.parts)
        if tree.value == "=" and tree.parts[0].kind == "name" and tree.parts[1].kind == "literal":
            key, literal = left.keys[0][0] if len(left.keys) == 1 else "", tree.parts[1].value
            if key and isinstance(literal, str):
                return asked(functions.is_text(key, literal, left.run))
        logic = operators.LOGIC.get(tree.value)
        if logic:
            return asked(logic(left.test, right.test))
        made = operators.make(tree.value, left.run, right.run)
        return Compiled(made, left.types if tree.value == "|" and left.types == right.types else ())

    def _type(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        operator, name = tree.value
        return self.of_type(self.compile(tree.parts[0], this), name, operator == "is")

    def of_type(self, base: Compiled, name: str, ask: bool) -> Compiled:
        """`is` where it asks, else `as` and `ofType`: by the JSON name of a choice, or by resourceType."""
        plain = name.rpartition(".")[2]
        wanted = (plain,) if name.startswith("FHIR.") else SYSTEM_TYPES.get(plain, (plain,))
        if plain in SYSTEM_TYPES and base.types:
            # FHIR's own primitives are of none of FHIRPath's types, as the reference reads it.
            wanted = ()
        if base.keys and base.base:
            kept = functions.child(base.base.run, tuple(pair for pair in base.keys if pair[1] in wanted))
            types = tuple(kind for kind in base.types if kind in wanted)
        else:
            kept = functions.of_resource_type(base.run, wanted, self.defs.resource_types, base.types)
            types = wanted
        if not ask:
            return Compiled(kept, types)
        return Compiled(lambda focus, env: [bool(kept(focus, env))] if base.run(focus, env) else [])

    def _call(self, tree: Syntax, this: tuple[str, ...]) -> Compiled:
        name: str = tree.value
        target = self.compile(tree.parts[0], this)
        arguments = tree.parts[1:]
        if name in ("is", "as", "ofType"):
            if len(arguments) != 1:
                raise Unsupported(f"{name}() takes one type")
            return self.of_type(target, _type_name(arguments[0]), name == "is")
        if not arguments and name in ("exists", "empty", "not"):
            return self._short(tree.parts[0], target, name)
        if name == "memberOf" and len(arguments) == 1:
            return self._member_of(target, arguments[0])
        maker = functions.MAKERS.get(name)
        if maker is None:
            raise Unsupported(f"{name}() is not supported")
        # Criteria see each item of the target as $this; other arguments see what the whole expression sees.
        inside = target.types if name in functions.WITH_CRITERIA else this
        made = [self.compile(argument, inside) for argument in arguments]
        try:
            run = maker(target.run, *(each.run for each in made))
        except TypeError:
            raise Unsupported(f"{name}() has the wrong number of arguments") from None
        return Compiled(run, self._result_types(name, target, made))

    def _member_of(self, target: Compiled, argument: Syntax) -> Compiled:
        """Whether a plain code is in a value set whose codes are all at hand."""
        codes = self.defs.codes(argument.value) if argument.kind == "literal" else None
        if codes is None:
            raise Unsupported("memberOf() of this value set is not supported")
        run = target.run
        return asked(lambda focus, env: item[0] in codes if len(item := run(focus, env)) == 1 else None)

    def _short(self, tree: Syntax, target: Compiled, name: str) -> Compiled:
        """The three that most invariants are made of, without collections in between."""
        if name == "not":
            return asked(functions.negated(target.test))
        if tree.kind == "name" and target.keys:
            names = frozenset(each for key, _ in target.keys for each in (key, "_" + key))
            return asked(functions.present(names, name == "exists"))
        run = target.run
        return asked((lambda focus, env: bool(run(focus, env))) if name == "exists" else (lambda f, e: not run(f, e)))

    def _result_types(self, name: str, target: Compiled, made: list[Compiled]) -> tuple[str, ...]:
        if name in functions.SAME_TYPES:
            return target.types
        if name in ("select", "iif") and made:
            return made[-1].types
        return ("Extension",) if name == "extension" else ()


def _type_name(tree: Syntax) -> str:
    if tree.kind == "name":
        return str(tree.value)
    if tree.kind == "child":
        return f"{_type_name(tree.parts[0])}.{tree.value}"
    raise Unsupported("a type is expected")


__all__ = ["Bare", "Compiled", "Compiler", "Env", "Failed", "Unsupported", "compile_boolean", "compile_path"]
