"""The rules that come with mplint; one file holds one rule.  Imported as `mplint.rules`, by the registry only."""
