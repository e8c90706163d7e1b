"""Changes to calls in order, the proof that they work, and the plan document. Pure.

build                from what differs to a plan that is proven
model                a plan as data, field for field as the document has it
document             the plan document: written, read back, digest and seal
device_plan          one device's part: its change, its calls, whom they touch
calls                the calls of one device, at most one of each kind
identity_completion  one call that adds identity values for all devices of a person
fingerprints         digests of a declaration, and of what the plan saw
ordering             which calls wait for which
warnings             side effects that nobody declared
errors               what is withheld, and why
people               the names of people in plans

proof                the judge: do the calls reach what is declared, and move nothing else
replay               calls carried out on the platform model, under every reading

guards               what a plan is refused for
consent              what a consent is bound to
privacy              hidden values leave the document, shown people enter it
coverage             what a plan covers and what it leaves out
forecast             how many calls, how long
simulation           an apply rehearsed event by event
drift                the document of `reconciler drift`
glossary             the words of a plan that a reader may want explained
"""
