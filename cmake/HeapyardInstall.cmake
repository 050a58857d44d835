# Install rules: see native/CMakeLists.txt for the targets.
