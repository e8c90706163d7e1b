"""A plan to calls, each one read for first and journaled. Carries out, never decides.

executor        runs a plan: workers, schedule, journal, record
justification   may this plan be applied to these files and this state
schedule        which calls are ready, by the edges of the plan
attempt         one call, attempted until its fate is known
owner_look      who owns a device right before that is changed, by as few calls as can tell
staleness       is the device as the plan saw it, plus what this plan has done
effects         what the calls so far have moved beside what they are for
bodies          from a planned call to the body that is sent
stored          what the answer to an update shows, held against what was sent
completion      what follows from an outcome: next calls, skipped calls, events
ledger          what the state and the report learn as outcomes come in
record_writer   writes to the state what has fallen due
ports           what an apply needs of the world
result          what became of one call
"""
