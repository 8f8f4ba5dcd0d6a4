"""The command line `floyd`: the whole stack on this machine, and a person's side of it."""
