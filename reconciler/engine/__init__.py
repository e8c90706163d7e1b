"""The use-cases: functions that take values and give values, for the command line and for programs.

No stream, prompt, exit code, signal, environment variable or switch of the process: all of these
are arguments. What is said on the way leaves as events, and every ending is a value or one typed
error. In reading order:

What all share
  errors                every ending that is no value
  events                what is told on the way
  cancellation          deadlines, requests to end, and the event loop that they end
  files                 find and read files, expand globs, replace a file whole
  output_files          files that are written: refused early, then whole
  shipped_files         schemas and examples, wherever they are installed
The project
  project               THE public API: a method for each use-case below
  project_files         the project file, manifests, people, consents: read and checked
  selection             which devices somebody means
  previous_commit       what the files said at an earlier commit
  saved_plan            a plan read back from its file
The state
  holder                who runs this
  state_access          from settings to an open state
  state_lock            its lock, for a run
  state_transfer        a whole state to another place
  project_state         a state looked after by hand
The service
  connection            from settings to a service that can be called
  live_state            what is really there, read and counted
Plan, apply, drift
  planning              make a plan
  applying              carry one out, under the lock
  interrupted_report    the report of an apply that was cut off
  drift                 what others changed since the last apply
  service_events        a file of webhook bodies, and the devices that it is about
  manifest_patch        a patch of the manifests for devices that are gone or back
  consent_files         the consent that a refused plan asks for
Import
  applications          which applications there are, for whoever chooses one
  import_registrations  manifests of what lives in an application
  import_target         where they may go, all of them or none
  import_proof          a plan right after is empty
Beside these
  formatting            files in canonical layout
  init                  a new repository
  starter_files         what it begins with
  installation          another project's distribution beside ours
  explain               what a field, a diagnostic or a word of a plan means
  doctor/               whether everything is there that plan and apply need
"""
