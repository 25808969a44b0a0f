"""Asynchronous providers: ``AsyncValue``, its sources, and promises."""

__all__: list[str] = []
