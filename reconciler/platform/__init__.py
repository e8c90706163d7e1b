"""The model of the service: its data, its rules, and one pure function from a call to an answer.

In reading order:

operations    the operations as calls, their paths, their documented limits
world         everything the service knows, as a value: people, registrations, who owns what
table         the mapping under it, cheap to change, that leaves earlier versions alone
worldfile     a world as JSON and back
step          `step(world, call)`: the world after a call, and the answer
requests      bodies and queries, read into values or refused
ownership     personalize, depersonalize, the primary flag; whom a call affects
lookups       the persons call: one person, or a page of everybody
applications  the applications call: all of the account, or one by its code
matching      the match call: whose many identities are, by number
answers       every documented error, and registrations and people as they are shown
assumptions   what nobody outside of the vendor knows, each with its readings
pace          how far apart calls leave, and how many are in flight
"""
