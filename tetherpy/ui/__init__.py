"""What people see: one module or folder per toolkit, each behind an extra."""

__all__: list[str] = []
