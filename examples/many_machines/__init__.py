"""A server, three workers and the dashboard, as containers: see docs/how-to/many-machines.md."""
