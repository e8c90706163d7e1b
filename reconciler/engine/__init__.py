"""The use-cases, which join the rooms. No stream, prompt, exit code, signal, environment variable.

errors          what a use-case raises
holder          who runs this, for those who find the state locked
state_access    from the section `state`, or a URL, to an open state
state_transfer  whole records between places: push, copy, write anew
"""
