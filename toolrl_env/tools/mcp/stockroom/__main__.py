"""The stockroom's MCP server, over standard input and output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from toolrl_env.tools.mcp.stockroom.world import ITEMS, SHELVES, Refused, Stockroom

Item = Annotated[str, Field(description=f"One of {', '.join(ITEMS)}.")]
Shelf = Annotated[str, Field(description=f"One of {', '.join(SHELVES)}.")]
Count = Annotated[int, Field(description="Pieces, at least 1.", ge=1)]
Customer = Annotated[str, Field(description="The customer's name.", min_length=1, max_length=80)]
LOOKS = ToolAnnotations(read_only_hint=True)
CHANGES = ToolAnnotations(read_only_hint=False)
T = TypeVar("T")


def create_server() -> MCPServer:
    """Return a server with a stockroom of its own; its list of tools never changes."""
    server = MCPServer("stockroom", subscriptions=False)
    rooms = [Stockroom()]
    _add_looks(server, rooms)
    _add_changes(server, rooms)

    @server.tool(annotations=CHANGES)
    def start_over() -> str:
        """Bring the stockroom back to how it was when the server started."""
        rooms[0] = Stockroom()
        return "started over"

    return server


def _add_looks(server: MCPServer, rooms: list[Stockroom]) -> None:
    @server.tool(annotations=LOOKS)
    def find_item(item: Item) -> list[dict[str, object]]:
        """Say on which shelves an item lies, how many pieces, and how many are not reserved."""
        return _said(lambda: rooms[0].find_item(item))

    @server.tool(annotations=LOOKS)
    def list_shelf(shelf: Shelf) -> dict[str, object]:
        """Say what lies on a shelf and how many more pieces fit on it."""
        return _said(lambda: rooms[0].list_shelf(shelf))

    @server.tool(annotations=LOOKS)
    def list_reservations() -> list[dict[str, object]]:
        """Say what is reserved, for whom and where."""
        return _said(rooms[0].list_reservations)

    @server.tool(annotations=LOOKS)
    def everything() -> dict[str, object]:
        """Say the whole state of the stockroom."""
        return _said(rooms[0].everything)


def _add_changes(server: MCPServer, rooms: list[Stockroom]) -> None:
    @server.tool(annotations=CHANGES)
    def move_items(item: Item, source: Shelf, target: Shelf, count: Count) -> dict[str, object]:
        """Move pieces of an item from one shelf to another."""
        return _said(lambda: rooms[0].move_items(item, source, target, count))

    @server.tool(annotations=CHANGES)
    def take_items(item: Item, shelf: Shelf, count: Count) -> dict[str, object]:
        """Take pieces of an item out of the stockroom."""
        return _said(lambda: rooms[0].take_items(item, shelf, count))

    @server.tool(annotations=CHANGES)
    def receive_items(item: Item, shelf: Shelf, count: Count) -> dict[str, object]:
        """Put newly delivered pieces of an item on a shelf."""
        return _said(lambda: rooms[0].receive_items(item, shelf, count))

    @server.tool(annotations=CHANGES)
    def reserve_items(
        item: Item, shelf: Shelf, count: Count, customer: Customer
    ) -> dict[str, object]:
        """Keep pieces of an item on a shelf for a customer."""
        return _said(lambda: rooms[0].reserve_items(item, shelf, count, customer))


def _said(what: Callable[[], T]) -> T:
    """Do something; what the stockroom refuses is an error of the tool, for the model to read."""
    try:
        return what()
    except Refused as error:
        raise ToolError(str(error)) from error


if __name__ == "__main__":
    create_server().run("stdio")
