"""Describe it: names, descriptions, nullability, directives. No rule of the business, no query."""
