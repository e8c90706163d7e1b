"""Where the state of a project, its journal and its lock live. In reading order:

What every backend gives
  protocols             State, Journal and Records, as apply and the engine know them
  record_codec          what was applied as the content of a document, and back
  lease                 the lock: taken, renewed, lost; it expires by itself
  journal               each call's intent on disk before it is made, its outcome after
  process_identity      where process numbers mean the same, who lives, how late it is
A file of this machine
  local                 the state in one SQLite file
  local_lease           its lock, confirmed by the transaction of each write
  database              that file: opened, checked to be ours, written to survive a power cut
A store that many machines reach
  backends              which store a backend opens; core.state_backends says which there are
  store                 what a shared state asks of the place that keeps it
  shared                one document in a store, written by compare-and-set
  shared_lease          its lock
  shared_journal        its journal: intents on this machine, plans in the store
  run_document          who holds the lock, and which plans were begun where
  envelope              the document around it: versioned, compressed, self-checking, encrypted
  encryption            the keys of that
  retrying_store        a store that is tried again
The stores
  objectstore           s3, gs, az; or a directory by its URL
  directory             a directory of this machine or of a share
  postgres              a table of PostgreSQL
  http                  Terraform's http backend, which GitLab speaks too
  http_addresses        where its parts and locks stand
  http_lock             its lock, and whether it is one of ours

A backend passes tests/contract.
"""
