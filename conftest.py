"""What the checkout's own test run needs; an installed heapyard needs none of it."""

from importlib.util import find_spec

# In a checkout that is not pip-installed nothing registers the plugin. The name is that of the
# entry point, so where the package is installed too, pytest sees one plugin and not two.
pytest_plugins = ["heapyard.pytest_plugin"] if find_spec("heapyard.pytest_plugin") else []
