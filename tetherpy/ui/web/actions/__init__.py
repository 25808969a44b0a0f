"""The actions of the dashboard's forms and buttons, and the responses to them."""

__all__: list[str] = []
