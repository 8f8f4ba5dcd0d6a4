"""The pure core of a call: events in, actions out, one next deadline. No I/O, no clock, no logging, no vendor.

Read in this order: `events`, `actions`, `conversation` (the tables), `state`, `deadlines`; then what the rows of the
table do: `opening`, `listening`, `answering`, `replies`, `speech`, `asking`, `closing`. What they stand on:
`hearing` (whose words), `playout` (what was heard of ours), `log` and `transcript`, `guards` (what may be said).
"""
