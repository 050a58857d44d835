"""The native library seen from Python: which build, its prototypes, and loading it."""
