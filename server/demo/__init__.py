"""A believable world to try things in: the desk of a maker of conference systems, and its customers."""

from server.demo.load import PASSWORD, DemoRefused, DemoSummary, Login, load_demo

__all__ = ["PASSWORD", "DemoRefused", "DemoSummary", "Login", "load_demo"]
