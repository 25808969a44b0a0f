"""tetherpy: reactive providers and durable background jobs."""
