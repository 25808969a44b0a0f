"""Examples of tetherpy; the test suite runs them."""
