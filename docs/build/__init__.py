"""Make the tables and figures of the pages of docs/."""
