"""The examples of the system that tetherpy ports, in Python."""
