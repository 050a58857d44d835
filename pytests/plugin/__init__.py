"""The pytest plugin, seen from a user's repository."""
