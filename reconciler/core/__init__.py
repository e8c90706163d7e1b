"""Values that every room shares. Pure: no disk, socket, clock, randomness or terminal.

What a device is:
fields           the table of a device's fields: names, places, types, risks
device           desired state: devices, owners, lifecycle, removals
opaque           live values that no manifest can declare
live             live state: registrations, people, and what has to be read next
record           what was applied, as digests; the entry of a device
identity         who a person is: typed values that never render
value_limits     how long a text and how large a number may be, in one table
sweep_query      what a sweep looks for among all people
service_event    what the service reports by itself

What a project says:
project          the project file with its settings unresolved
setting          a value of it that may stand in the environment
state_backends   the table of backends: the settings of each
safety           budgets and rules of protection
protection       which rule or entry protects a device
privacy          what outputs may show or hide
consent          consent that stands in a reviewed file

What is told:
diagnostics      mistakes in files: code, place, what, why, fix
codes            every code there is
events           what a long stage tells while it runs
report           what an apply did
check_result     what a check of the surroundings found
field_doc        a field of a file format as it is explained
failures         errors that several rooms speak of

Small tools:
absent           "nothing was said", which is not None
secret           values that no output can show
source           a place in a file
digest           canonical JSON and keyed digests
graph            connected components
counting         numbers and plurals in words
suggestion       "did you mean", and names as people list them
"""
