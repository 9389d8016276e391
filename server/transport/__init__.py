"""The GraphQL endpoint's own rules. It knows no ticket: any schema can be served by it."""
