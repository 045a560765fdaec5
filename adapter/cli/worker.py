"""careplan worker."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.command()
@click.option("--scheduler", is_flag=True, help="Do not work: say to the workers what is due. There is one of these.")
@click.option("--name", default="worker", show_default=True, help="What this worker is called in logs.")
@example(
    "careplan worker",
    "CAREPLAN_BROKER_URL=redis://127.0.0.1/0 careplan worker --name one",
    "CAREPLAN_BROKER_URL=redis://127.0.0.1/0 careplan worker --scheduler",
)
def worker(scheduler: bool, name: str) -> None:
    """Exchange with every server by its schedule, until SIGTERM.

    Without a broker this process does it all, as `careplan sync --watch`. With CAREPLAN_BROKER_URL it is one of several
    workers, here or on other machines, on one PostgreSQL store; one more process is the scheduler. Workers may be killed and
    the broker emptied at any time: what there is to do is in the store.
    """
    from adapter.bootstrap import Services
    from adapter.errors import UsageError

    with Services() as services:
        if not services.settings.broker_url:
            if scheduler:
                text = "Without a broker there is nobody to schedule for."
                raise UsageError(text, place="--scheduler", remedy="Set CAREPLAN_BROKER_URL.")
            from adapter.cli.exchange import watch_all

            watch_all(None, as_json=False)
            return
        from adapter.bootstrap.jobs import celery_app

        app = celery_app(services)
        services.ready()
        click.echo(f"careplan: {'scheduler' if scheduler else name} at work; Ctrl-C ends it", err=True)
        from adapter.jobs.queue import run_scheduler, run_worker

        if scheduler:
            _schedule(run_scheduler, app)
        else:
            run_worker(app, name=name)


def _schedule(run: object, app: object) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="careplan-scheduler-") as folder:
        run(app, state=str(Path(folder) / "state"))  # type: ignore[operator]
