"""`reconciler plan`: what would happen."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.accept import accept_option
from reconciler.cli.durations import Deadline, Duration
from reconciler.cli.options import Options
from reconciler.cli.streams import say


@click.command(
    "plan",
    epilog="""
\b
Examples:
  reconciler plan
  reconciler plan -o plan.json               save it for review, then apply it
  reconciler plan --format markdown          for a comment on a pull request
  reconciler plan --format calls             every HTTP call, in order
  reconciler plan --detailed-exitcode        2 when there are changes
""",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan; `reconciler apply FILE` carries out exactly this.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html", "calls"]),
    default="text",
    show_default=True,
    help="The form on stdout.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 2 when there are changes.")
@click.option(
    "--target",
    "targets",
    metavar="ID",
    multiple=True,
    help="Only this registration; repeatable.",
)
@click.option(
    "--read",
    "strategy",
    type=click.Choice(["auto", "points", "sweep"]),
    default="auto",
    show_default=True,
    help="How live state is read: registration by registration, or page by page.",
)
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="End with an error when the plan is not made by then: 90s, 10m, 1h30m.",
)
@accept_option
@click.pass_obj
def command(
    options: Options,
    out: Path | None,
    form: str,
    detailed_exitcode: bool,
    targets: tuple[str, ...],
    strategy: str,
    timeout: float | None,
    accepted: dict[str, int],
) -> int:
    """Read live state and show what apply would do; writes nothing to the service.

    The plan names every field that changes with its source line, every call, what is risky, and
    side effects on devices that no file declares.
    """
    deadline = Deadline.after(timeout)
    if strategy == "sweep":
        raise click.UsageError(
            "--read sweep does not exist yet: it comes with a later version. Use auto or points."
        )
    if out is not None:
        from reconciler.cli.outputs import is_document, require_replaceable

        require_replaceable(out, "plan", is_document)
    from reconciler.cli.checking import load
    from reconciler.cli.endings import Bounds
    from reconciler.cli.progress import progress
    from reconciler.cli.showing import show
    from reconciler.cli.stages import Wishes, plan_from_files, verdict

    loaded = load(options)
    wishes, bounds = Wishes(targets, accepted), Bounds(deadline)
    with progress(options) as listen:
        plan = plan_from_files(options, loaded, wishes, bounds, listen)
    show(plan, form, options, fold=not options.verbose)
    code = verdict(plan, detailed=detailed_exitcode)
    if out is not None:
        from reconciler.cli.outputs import save
        from reconciler.plan.document import encode

        save(out, encode(plan))
        if plan.refusals:
            say(options, "info", f"Saved to {out}; refused as it is, see its ways out.")
        else:
            say(options, "info", f"Saved to {out}. To make it so: reconciler apply {out}")
    return code
