"""Takes from the running process what reading a hostile file could use: called by the opener on itself.

On Linux a filter in the kernel (seccomp) refuses sockets, new programs and looking into other processes, and
the kernel kills the process together with the one that started it. Where there is no such filter (other
systems, unknown processors) the limits of memory, processor time and written bytes hold all the same.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys

MEGABYTE = 1_000_000
OPEN_FILES = 256
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 1, 22, 38, 2
# Of each processor: its mark in the kernel's record, and the numbers of socket, connect, execve, execveat,
# ptrace, process_vm_readv, process_vm_writev, bind, kill.
CALLS = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 310, 311, 49, 62)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 270, 271, 200, 129)),
}
# Opcodes of the classic packet filter that the kernel runs for each call.
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1  # an error number: not permitted
NUMBER_AT, PROCESSOR_AT = 0, 4


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def limit(*, memory_mb: int, seconds: int) -> None:
    """Bound memory beyond what is in use now, processor time, files and network; there is no way back."""
    _bound(resource.RLIMIT_AS, _in_use() + memory_mb * MEGABYTE)
    _bound(resource.RLIMIT_CPU, seconds)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_NOFILE, OPEN_FILES)
    if sys.platform == "linux":
        control = ctypes.CDLL(None).prctl
        control.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
        control(PR_SET_PDEATHSIG, signal.SIGKILL, None, 0, 0)
        _refuse_calls(control)


def _bound(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (wanted, wanted))


def _in_use() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123  # nothing else is imported here
            return int(told.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # another system: what a Python with these libraries takes
        return 4_000 * MEGABYTE


def _refuse_calls(control: "ctypes._NamedFuncPointer") -> None:
    known = CALLS.get(platform.machine())
    if known is None:
        return
    processor, numbers = known
    last = len(numbers)
    steps = [(LOAD, 0, 0, PROCESSOR_AT), (JUMP_IF_EQUAL, 0, last + 2, processor), (LOAD, 0, 0, NUMBER_AT)]
    steps += [(JUMP_IF_EQUAL, last - place, 0, number) for place, number in enumerate(numbers)]
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    written = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = _Program(len(steps), written)
    control(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0)
    control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)
