"""How a place waits for the work of others, and what it is told when that fails."""
