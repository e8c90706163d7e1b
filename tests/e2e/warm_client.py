"""What a shell runs to get a forked process of `warm.py`: asks for it, and ends as it ended.

A program of its own, quick because it imports what is built into Python only. Usage:
`python -I -S warm_client.py SOCKET PROGRAM [ARGUMENT]...`.
"""

import _socket
import marshal
import posix
import sys

_STREAMS = (0, 1, 2)


def main(address: str, program: str, arguments: list[str]) -> int:
    """Ask for the process with our streams, directory and environment; return its exit code."""
    asked = marshal.dumps((program, arguments, posix.getcwd(), posix.environ))
    data = len(asked).to_bytes(4) + asked
    connection = _socket.socket(_socket.AF_UNIX)
    connection.connect(address)
    files = b"".join(file.to_bytes(4, sys.byteorder) for file in _STREAMS)
    sent = connection.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    connection.sendall(data[sent:])
    # The process number, which nobody asked for, and at the end the exit code.
    answer = connection.recv(8, _socket.MSG_WAITALL)
    code = int.from_bytes(answer[4:], signed=True) if len(answer) == 8 else 70
    # A shell tells an end by a signal so.
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
