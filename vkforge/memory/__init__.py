"""Device memory: intents, a sub-allocator, the cap on host-visible memory, and the report that shows all three.

`intents` picks a memory type, `tlsf` places spans in an address range, `allocator` owns the blocks and the cap, and
`report` is the frozen picture of it. None of them talks to Vulkan: the allocator is given a small `Backend`.
"""
