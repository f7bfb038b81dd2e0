"""What earlier runs found out, kept by content in a folder that may vanish, be shared, or come from anybody.

Nothing in it is ever executed: every entry goes through a typed decoder, and whatever does not fit is a miss.
"""
