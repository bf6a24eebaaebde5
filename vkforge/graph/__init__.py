"""The frame graph: declared passes become barriers, layouts, lifetimes and one command buffer that is resubmitted.

`access`, `sync`, `alias`, `builder` and `plan` are pure (no Vulkan, testable with no GPU); `frame` turns a compiled
plan into Vulkan objects through `vkforge.vk`.
"""
