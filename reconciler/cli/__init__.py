"""The command line: arguments to the engine, its values and events to the terminal, exit codes.

Nothing here decides anything about devices. In reading order:

  main          the entry: options before the command, one exit code for every ending
  lazy          commands are imported when they are called
  settings      the options before the command, as one value
  options/      options that several commands share
  commands/     a module for each command: arguments -> engine -> view
  project       the project that a command works on
  applying      apply: shown, asked about, carried out
  demo          the whole job told step by step
  prompt        the one question that a command asks
  interrupts    Ctrl-C and SIGTERM
  collector     Python's garbage collector, out of the way
  views/        what the engine gives, in words
  progress/     how far a long run is
  streams       what goes to stdout and what to stderr
  errors        how each typed error ends a command
  exit_codes    the exit codes, and which one a plan or an apply has
"""
