"""`reconciler doctor`: whether everything is there that plan and apply need."""

from __future__ import annotations

import click

from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options


@click.command(
    "doctor",
    epilog="""
\b
Examples:
  reconciler doctor
  reconciler doctor --format json | jq '.checks[] | select(.verdict == "failed")'
""",
)
@format_option("text", "json")
@click.pass_obj
def command(options: Options, form: str) -> int:
    """Check one by one what plan and apply need, and say what to do about what is missing.

    Files, environment, state and lock, base URL, network, clock, credentials, application codes,
    limits. Only reads: nothing changes, neither at the service nor in the state. Exit code 0 when
    nothing failed; warnings do not count.
    """
    import os
    import sys

    from reconciler.cli.exit_codes import ExitCode
    from reconciler.cli.streams import result
    from reconciler.cli.views.terminal import paint
    from reconciler.core.check_result import Verdict
    from reconciler.engine.doctor.sequence import run_checks
    from reconciler.render.doctor import as_json, last_lines, lines

    checks = run_checks(options.directory, options.config, os.environ, options.origin)
    results = []
    for check_result in checks:
        results.append(check_result)
        if form == "text":
            # At once: the next check may take its time.
            paint(sys.stdout, lines(check_result), options)
    if form == "json":
        result(as_json(results))
    else:
        paint(sys.stdout, last_lines(results), options)
    has_failed = any(check_result.verdict is Verdict.FAILED for check_result in results)
    return ExitCode.ERROR if has_failed else ExitCode.DONE
