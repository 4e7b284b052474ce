"""The pages, and what builds them."""
