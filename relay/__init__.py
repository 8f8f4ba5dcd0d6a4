"""The relay: one process that holds live calls between the carrier, the recogniser, the model and the voice."""
