"""From a failing plan to a C program that shows the failure: one file, C11 and POSIX, nothing else.

    text = c_program(plan, Failure.of(outcome), target)

The program makes the plan's calls, verifies what the plan's engine found broken, prints what was
expected and seen, and exits 1; on an allocator that does it right it exits 0.
"""

from heapyard.reproducer.failure import Failure, NoProgramError
from heapyard.reproducer.program import c_program, command_of, listing
from heapyard.reproducer.swapped import swap_program

__all__ = ["Failure", "NoProgramError", "c_program", "command_of", "listing", "swap_program"]
