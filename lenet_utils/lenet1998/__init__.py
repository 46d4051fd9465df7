"""All of 1998: the network, its layers written out, its training, and what was tried."""
