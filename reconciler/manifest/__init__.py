"""The project file and manifests to desired state, or to diagnostics; and `import` back again.

Pure: bytes come in, values and diagnostics go out; no disk, network, environment, nor any switch of
the process. Identity values and secrets never stand in a diagnostic. In reading order:

Text to trees
  yaml_events       events of libyaml's or PyYAML's parser, and its complaints in our words
  scalars           plain scalars of YAML 1.2: numbers, flags, dates, texts
  tree              a document as a tree, and the place of each key and value
  documents         the bytes of a file to its documents
  result            what reading is given (a file) and gives (a value, or diagnostics)
  schema            JSON Schema: yes fast, or what is wrong in detail
  messages/         schema errors, fields and constraints in words
Trees to values
  project           reconciler.yaml to a Project
  project_rules     what its schema cannot say
  state_settings    its section `state`
  interpolation     ${NAME} of the project file, and where keys may be sent
  people            entries of people as typed values
  external_people   people who are not kept in Git
  devices           manifests to desired state
  rules             rules across files
  consent           consents to plans, read and written
Values to text
  import_entries    what a manifest can declare of live registrations
  writing           those entries as manifests
  patching          manifests with other registration ids, all else as it was
  layout/           fmt: canonical layout
The formats themselves
  guide             what a dotted path of a format leads to, for `explain`
"""
