"""Installs the library as its users do, and builds a program against it."""
