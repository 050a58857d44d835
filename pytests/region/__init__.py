"""White-box tests of region: both engines."""
