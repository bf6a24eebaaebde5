"""`vkforge probe`: the Vulkan devices of this machine and which one vkforge takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vkforge.cli.options import Debug
from vkforge.cli.report import reported
from vkforge.errors import DeviceError, ShaderBuildError, VkforgeError

if TYPE_CHECKING:
    from vkforge.vk.instance import DeviceInfo


@reported
def probe(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    device: Annotated[str, typer.Option("--device", help="As render's; which one that would be.")] = "auto",
    debug: Debug = False,
) -> None:
    """List all Vulkan devices: type, driver, memory, limits, extensions, and which one vkforge takes and why."""
    from vkforge.vk.instance import choose_device, list_devices

    devices = list_devices()
    chosen, refusal = None, None
    try:
        chosen, reason = choose_device(devices, device)
    except DeviceError as error:  # an unsuitable device is a finding here, shown below the others
        refusal, reason = error, str(error)
    if as_json:
        found: dict[str, Any] = {
            "devices": [info.to_dict() for info in devices],
            "chosen": chosen.index if chosen else None,
            "reason": reason,
            "needs": _needs(),
        }
        typer.echo(json.dumps(found, indent=2))
    else:
        _show(devices, chosen, reason)
    if refusal is not None:
        raise VkforgeError(reason) from refusal


def _show(devices: list[DeviceInfo], chosen: DeviceInfo | None, reason: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for info in devices:
        # Titles and values come from drivers, so nothing here may be read as rich's markup.
        console.print(f"{info.index}: {info.name}", style="bold green" if info is chosen else "bold", markup=False)
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 3))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _rows(info):
            table.add_row(name, value)
        console.print(table)
        console.print()
    if needs := _needs():
        console.print("what the shaders use of the limits:")
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 3))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for limit, features in needs.items():
            used = ((feature, count) for feature, count in features.items() if count)
            table.add_row(limit, ", ".join(f"{feature} {count}" for feature, count in used))
        console.print(table)
        console.print()
    if chosen is not None:
        console.print(f"vkforge takes {chosen.index}: {chosen.name}: {reason}", markup=False, soft_wrap=True)


def _needs() -> dict[str, dict[str, int]]:
    """Return what each feature uses of each limit; nothing where the shaders are not compiled."""
    from vkforge.vk.needs import needs

    try:
        return needs()
    except ShaderBuildError:
        return {}


def _rows(info: DeviceInfo) -> list[tuple[Any, Any]]:
    from rich.text import Text

    heaps = (
        f"{heap['bytes'] / 2**30:.1f} GiB{' on the device' if heap['device_local'] else ''}" for heap in info.heaps
    )
    present = [name for name, there in info.extensions.items() if there]
    missing = [name for name, there in info.extensions.items() if not there]
    rows = [
        ("type", info.type),
        ("Vulkan", ".".join(map(str, info.api_version))),
        ("driver", info.driver),
        ("memory", ", ".join(heaps)),
        *((name, f"{value:,.10g}") for name, value in info.limits.items()),
        ("has", " ".join(present)),
        ("lacks", " ".join(missing)),
        ("suitable", "yes" if info.suitable else f"no: {'; '.join(info.reasons)}"),
    ]
    return [(Text(name), Text(value)) for name, value in rows if value]
