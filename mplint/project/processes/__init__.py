"""Where processes and threads begin, what runs in them, and what they inherit."""
