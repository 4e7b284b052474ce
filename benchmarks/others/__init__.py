"""Other programs on exported matrices, run as scripts in environments of their own."""
