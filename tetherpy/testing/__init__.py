"""What tests of an app need; registered with pytest when tetherpy is installed, and never imported by the rest."""

from .plugin import tetherpy_containers

__all__ = ["tetherpy_containers"]
