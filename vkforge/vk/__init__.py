"""The Vulkan layer: everything that touches the binding, and the SPIR-V that it feeds to it."""
