"""`reconciler plan`: what would happen."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.accept import accept_option
from reconciler.cli.options.duration import Duration
from reconciler.cli.options.output_file import require_replaceable
from reconciler.cli.options.output_format import format_option
from reconciler.cli.options.read_strategy import read_option
from reconciler.cli.options.selection import selection_options
from reconciler.cli.settings import Options
from reconciler.cli.streams import say
from reconciler.render.formats import PLAN_FORMATS


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
  reconciler plan --since origin/main        only what this branch changed
  reconciler plan --select fleet=zagreb --select 'label=*phone'
                                             only devices that declare both
  reconciler plan --target ID --target ID    only these two
  reconciler plan --accept owner-change=38   override a guard, in exactly this number
  reconciler plan --write-consent consents/depot.yaml
                                             the same as a file to be reviewed
  reconciler plan --write-patch gone.patch   devices that are gone, or back under another id
""",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan; `reconciler apply FILE` carries out exactly this.",
)
@format_option(*PLAN_FORMATS)
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 2 when there are changes.")
@selection_options
@read_option
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="End with an error when the plan is not made by then: 90s, 10m, 1h30m.",
)
@click.option(
    "--write-patch",
    "patch",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a patch of the manifests: gone devices get the id under which they are back, the "
    "entries of others that are gone are dropped.",
)
@click.option(
    "--write-consent",
    "consent",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the consent that a refused plan asks for, bound to this very plan, for review.",
)
@accept_option
@click.pass_obj
def command(
    options: Options,
    out: Path | None,
    form: str,
    detailed_exitcode: bool,
    since: str | None,
    selects: tuple[tuple[str, str], ...],
    targets: tuple[str, ...],
    strategy: str,
    timeout: float | None,
    patch: Path | None,
    consent: Path | None,
    accepted: dict[str, int],
) -> int:
    """Read live state and show what apply would do; writes nothing to the service.

    The plan names every field that changes with its source line, every call, what is risky, and
    side effects on devices that no file declares.

    --since, --select and --target choose devices; one is planned if it matches each kind that is
    given. Declared devices that a chosen change depends on come along and are named, and the plan
    says what it leaves out. Without them everything is planned.
    """
    from reconciler.cli.views.patch import write_patch
    from reconciler.engine.cancellation import Cancellation, Deadline
    from reconciler.engine.consent_files import is_consent
    from reconciler.engine.manifest_patch import is_patch
    from reconciler.engine.output_files import is_document

    cancellation = Cancellation(Deadline.after(timeout))
    require_replaceable(out, "plan", is_document)
    require_replaceable(patch, "patch", is_patch)
    require_replaceable(consent, "consent", is_consent)
    from reconciler.cli.collector import keep_to_the_end, without_collector
    from reconciler.cli.exit_codes import plan_exit_code
    from reconciler.cli.interrupts import Signals, before_any_change
    from reconciler.cli.project import open_project
    from reconciler.cli.views.consent import write_consent
    from reconciler.cli.views.events import EventView
    from reconciler.cli.views.plan import append_plan_summary, show
    from reconciler.engine.output_files import save
    from reconciler.engine.selection import Selection

    view = EventView(options)
    with before_any_change(options), without_collector():
        project = open_project(options)
        with Signals(cancellation), view.progress():
            plan = project.plan(
                Selection(since, selects, targets),
                accept=accepted,
                read=strategy,
                on_event=view,
                cancellation=cancellation,
            )
        if options.ends_process:
            keep_to_the_end(plan)
    show(plan, form, options, fold=not options.verbose)
    append_plan_summary(options, plan)
    if out is not None:
        save(out, plan.to_json())
        if plan.refusals:
            say(options, "info", f"Saved to {out}; refused as it is; the refusals say what to do.")
        else:
            say(options, "info", f"Saved to {out}. To make it so: reconciler apply {out}")
    if patch is not None:
        write_patch(options, project, plan, patch)
    if consent is not None:
        write_consent(options, project, plan, consent)
    return plan_exit_code(plan, detailed=detailed_exitcode)
