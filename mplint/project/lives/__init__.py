"""Where objects go after they were made, and what is done to them there."""
