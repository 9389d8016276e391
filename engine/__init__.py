"""Make it fast: keyset pages and batched loading. Knows Strawberry, graphql-core and Tortoise, and nothing of ours."""
