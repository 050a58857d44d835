"""Objects with reference counts, deallocated by the kind of their type, and their collector."""

from heapyard.objects.collector import Collection, Engine, GenerationStats
from heapyard.objects.object_type import HEADER, Kind, ObjectType
from heapyard.objects.space import FEW, LIST_LIMIT, MAX_LISTED, ObjectSpace
from heapyard.objects.weak import WeakReference

__all__ = [
    "FEW",
    "HEADER",
    "LIST_LIMIT",
    "MAX_LISTED",
    "Collection",
    "Engine",
    "GenerationStats",
    "Kind",
    "ObjectSpace",
    "ObjectType",
    "WeakReference",
]
