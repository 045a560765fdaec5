"""careplan pack test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from adapter.cli.app import example

if TYPE_CHECKING:
    from adapter.services.testing.cases import Case
    from adapter.services.testing.run import Outcome


@click.command("test")
@click.argument("pack", default="core", metavar="[NAME|PATH]")
@click.option("--case", "only", multiple=True, metavar="NAME", help="Only this example; more than once for several.")
@click.option("--no-laws", is_flag=True, help="Only the examples themselves, without the laws on them.")
@click.option("--junit", metavar="FILE", help="Write the outcomes as JUnit XML too.")
@click.option("--accept", is_flag=True, help="Write what came as what is expected, after showing the difference.")
@click.option("--verbose", "-v", is_flag=True, help="Name what passed, too.")
@example(
    "careplan pack test core",
    "careplan pack test mappings/lakeside --case first-visit --accept",
    "careplan pack test mappings/lakeside --junit junit.xml",
)
def pack_test(pack: str, only: tuple[str, ...], no_laws: bool, junit: str | None, accept: bool, verbose: bool) -> None:
    """Run the examples of a pack both ways, and the laws on them.

    An example is a folder with records.json and fhir.json, or with another system's fhir-in.json and records.json. Checked
    are both directions, the way back with the remainder, validity, ids, and on the records: an edit comes back (PutGet),
    nothing else moves (Locality), of two writes the second wins (PutPut), every code comes back. In R5, where the pack names
    it, the records go out, come back and are valid. What differs is shown as -want +got with the place and the rule. Exit
    status 1 where something does.
    """
    from adapter.bootstrap import validator
    from adapter.cli.files import sink
    from adapter.mapping.versions import release_of
    from adapter.services.knowledge import Knowledge
    from adapter.services.testing.cases import cases
    from adapter.services.testing.junit import junit as as_junit
    from adapter.services.testing.run import Release, Tester

    known = Knowledge.of(pack)
    found = cases(known.pack.examples, only)
    others = [version for version in known.pack.fhir_versions if release_of(version) != known.release]
    releases = [Release(version, validator(fhir=version, pack=pack).validate) for version in others]
    tester = Tester(known, validator(pack=pack).validate, laws=not no_laws, releases=releases)
    outcomes = [_said(outcome, verbose) for outcome in tester.run(found)]
    accepted = [_accepted(outcome, found) for outcome in outcomes] if accept else []
    if any(accepted):
        click.echo("what was accepted, tested again:", err=True)
        outcomes = [_said(outcome, verbose) for outcome in tester.run(found)]
    if junit:
        with sink(junit) as target:
            target.write(as_junit(known.pack.name, outcomes))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    click.echo(
        f"{known.pack.name}: {len(found)} example{'s'[: len(found) != 1]}, {len(outcomes)} checks, {len(failed)} failed",
        err=True,
    )
    if not found:
        click.echo(f"careplan: there is no example yet in {known.pack.examples.name}/.", err=True)
    if failed:
        click.get_current_context().exit(1)


def _said(outcome: Outcome, verbose: bool) -> Outcome:
    from adapter.services.testing.run import shown

    if not outcome.passed:
        click.echo("\n".join(shown(outcome)))
    elif verbose:
        click.echo(f"ok   {outcome.case}: {outcome.check}")
    return outcome


def _accepted(outcome: Outcome, cases: list[Case]) -> bool:
    """Whether what came is now what is expected."""
    if outcome.made is None:
        return False
    case = next(case for case in cases if case.name == outcome.case)
    case.accept(outcome.made)
    click.echo(f"accepted: {case.name}/{case.expectation}", err=True)
    return True
