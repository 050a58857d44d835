# heapyard.json: what Python reads to find this build.
