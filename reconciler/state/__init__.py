"""Where the record, the journal and the lease live. A backend passes tests/contract.

protocols         what a command needs of a state: record, lock (here: lease) and journal
backends          opens the store that the project file names; the table is core/state_backends.py
local             the record in a SQLite file of this machine
database          that file: opened, checked, upgraded, written in transactions
journal           each call's intent before it is made, its outcome after
lease             the lock of a run: it beats, and expires by itself
local_lease       the lock in the SQLite file
process_identity  machine, living processes and clocks, which a lock is judged by
shared            the record in a store that many machines reach
record_codec      the record as a document, and back
envelope          the document: versioned, compressed, checked, encrypted
encryption        the keys
run_document      who holds the lock, and which plans were begun
shared_lease      the lock in the store
shared_journal    the journal on this machine, plans in the store
store             what a shared record asks of a store; its errors
retrying_store    a store that is tried again
objectstore       s3, gs, az; and directory for file://
directory         a store in a directory
http              Terraform's state protocol, with http_addresses and http_lock
http_addresses    where a record and its locks stand
http_lock         what a lock says of its holder
postgres          a table of PostgreSQL
"""
