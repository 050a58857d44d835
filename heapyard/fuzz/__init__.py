"""Random plans by the million: drawn and verified in C; what fails is rebuilt and shortened.

for find in Campaign(target, seed=7).run(plans=100_000):
    print(find)
"""

from heapyard.fuzz.campaign import Campaign, Tally
from heapyard.fuzz.find import Find
from heapyard.fuzz.request import Request

__all__ = ["Campaign", "Find", "Request", "Tally"]
