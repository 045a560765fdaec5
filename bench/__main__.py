"""Side-by-side measurements: `make bench`, or `make bench ONLY="mapping validation"` for some suites.

Prints a table, writes bench/results.json and docs/benchmarks.md. results.json is a list of `{"suite", "name", "unit",
"ours", "peers": {name: figure}, "limit", "goal", "ratio", "met"}`: everything that was measured in this run, ours and
the peers' in turn. `ratio`: larger is better; `limit` must hold, `goal` is aimed at. The exit status is 1 where a limit
does not hold.
"""

from __future__ import annotations

import sys

from bench import report, suites


def main() -> int:
    """Runs the suites that are asked for, or all."""
    wanted = sys.argv[1:] or suites.names()
    if strange := set(wanted) - set(suites.names()):
        print(f"no suite {', '.join(sorted(strange))}; there are {', '.join(suites.names())}", file=sys.stderr)
        return 2
    rows, sections = [], {}
    for name in wanted:
        suite = suites.suite(name)
        found = list(suite.run())
        rows += found
        sections[name] = report.section(name, suite.about, found, suite.notes())
    report.show(rows)
    report.write_results(rows)
    report.write_page(sections)
    return 0 if all(found["met"] for found in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
