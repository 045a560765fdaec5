"""`python -m adapter.cli` is `careplan`."""

from adapter.cli.app import main

main()
