"""The checks of `doctor`: what plan and apply need, one by one. They only read.

In reading order:

sequence        which check comes after which, and what a failed one leaves unchecked
results         words that several checks share: one that was skipped, an answer that was no good
project         the program, the files, the environment variables
state           the state: whether it can be read, who holds its lock, what an apply left undone
connection      the base URL, the connection, the clock: all without a credential
account         the credentials, the applications, the limits
"""
