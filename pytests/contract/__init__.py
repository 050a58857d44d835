"""The rules that any allocator is held to; installed as heapyard.contract."""
