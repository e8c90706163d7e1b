"""What differs between desired, live and recorded state. Pure.

changes           the whole difference: what changes, is adopted, gone or leaves
device            one device: owner and fields together
compare           the fields of one registration, in canonical form
ownership         whether a registration belongs to the declared person
attribution       who moved a field: the file, or somebody at the service
removed           registrations that left the files
reregistered      gone devices that may be back under a new id
unreadable        what is shown of a device and means nothing

required_reads    what has to be read next, and what a sweep looks for
selection         which devices the options of a plan choose
previous          which declarations changed since an earlier commit
dependencies      which devices must be planned along with chosen ones
scope             how far a plan goes: the chosen, and what comes along

drift             what moved since the last apply
import_selection  which live registrations an import takes
"""
