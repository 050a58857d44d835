"""The test suite: one folder per part; `contract` holds the rules for any target."""
