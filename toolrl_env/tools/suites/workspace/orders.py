"""The office's tools around products and orders."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from toolrl_env.tools.signature import Limits
from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.workspace.common import Id, Line, Search, matching
from toolrl_env.tools.suites.workspace.ledger import Ledger
from toolrl_env.tools.tool import ToolError

__all__ = ["OrderTools"]

Quantity = Annotated[int, Limits(1, 500)]

_PRODUCT = (
    "SELECT sku, name, price AS price_cents, supplier, stock - coalesce((SELECT sum(quantity) "
    "FROM orders WHERE orders.sku = products.sku AND status = 'placed'), 0) AS available "
    "FROM products WHERE sku = upper(?)"
)
_ORDER = (
    "SELECT orders.id AS order_id, project, orders.sku, quantity, quantity * price AS total_cents, "
    "ordered_by, account AS account_id, placed, delivery, status, invoice AS invoice_id "
    "FROM orders JOIN products ON products.sku = orders.sku WHERE orders.id = ?"
)
_DELIVERY_DAYS = 7


class OrderTools(Ledger):
    """Ordering from the catalogue. An order is paid when it is placed."""

    @read
    def search_products(self, query: Line) -> list[dict[str, Any]]:
        """Search the catalogue by name.

        Args:
            query: Words of the name that must all occur, in any case.
        """
        return matching(self.database.all("SELECT sku, name FROM products"), query, "name")

    @read
    def get_product(self, sku: Line) -> dict[str, Any]:
        """Price (in cents), supplier and available pieces of one product.

        Args:
            sku: The product's code, e.g. DE-104.
        """
        return self._row("product", _PRODUCT, sku)

    @read
    def find_orders(
        self, project: Search = "", sku: Search = "", ordered_by: Search = ""
    ) -> list[dict[str, Any]]:
        """Search the orders by project, product or person, or several of them.

        Args:
            project: Words of the project's name that must all occur, in any case.
            sku: The product's code.
            ordered_by: E-mail address of whoever placed the order.
        """
        if not (project.strip() or sku or ordered_by):
            raise ToolError("give at least one of 'project', 'sku' and 'ordered_by'")
        sql = (
            "SELECT id AS order_id, project, status FROM orders WHERE (? = '' OR sku = upper(?)) "
            "AND (? = '' OR ordered_by = lower(?)) ORDER BY id"
        )
        found = self.database.all(sql, sku, sku, ordered_by, ordered_by)
        return matching(found, project, "project")

    @read
    def get_order(self, order_id: Id) -> dict[str, Any]:
        """Everything about one order: product, quantity, who placed it, delivery, invoice.

        Args:
            order_id: The order's number.
        """
        return self._row("order", _ORDER, order_id)

    @write
    def place_order(
        self, sku: Line, quantity: Quantity, account_id: Id, project: Search = ""
    ) -> dict[str, Any]:
        """Order a product; the total is taken from the account at once.

        Args:
            sku: The product's code.
            quantity: How many pieces.
            account_id: The account that pays.
            project: The project that it is for.
        """
        product = self._row("product", _PRODUCT, sku)
        if quantity > product["available"]:
            raise ToolError(f"only {product['available']} pieces of {product['sku']} are available")
        total = quantity * product["price_cents"]
        self._covered(account_id, total)
        today = datetime.date.fromisoformat(self._today)
        delivery = (today + datetime.timedelta(days=_DELIVERY_DAYS)).isoformat()
        sql = (
            "INSERT INTO orders (project, sku, quantity, ordered_by, account, placed, delivery, "
            "status, invoice) VALUES (?, ?, ?, ?, ?, ?, ?, 'placed', NULL)"
        )
        values = (project, product["sku"], quantity, self._me, account_id, self._today, delivery)
        with self._together():
            order = self.database.change("orders", sql, *values)
            self._book(account_id, -total, product["supplier"], f"order {order}")
        return {"order_id": order, "total_cents": total, "delivery": delivery}

    @write
    def cancel_order(self, order_id: Id) -> dict[str, Any]:
        """Cancel an order that is not delivered; the total comes back. This cannot be undone.

        Args:
            order_id: The order's number.
        """
        order = self._placed(order_id)
        sql = "UPDATE orders SET status = 'cancelled' WHERE id = ?"
        with self._together():
            self.database.change("orders", sql, order_id)
            total, note = order["total_cents"], f"order {order_id} cancelled"
            self._book(order["account_id"], total, order["supplier"], note)
        return {"order_id": order_id, "status": "cancelled", "refund_cents": total}

    @write
    def confirm_delivery(self, order_id: Id) -> dict[str, Any]:
        """Record that an order has arrived.

        Args:
            order_id: The order's number.
        """
        self._placed(order_id)
        sql = "UPDATE orders SET status = 'delivered' WHERE id = ?"
        self.database.change("orders", sql, order_id)
        return {"order_id": order_id, "status": "delivered"}

    @write
    def set_order_project(self, order_id: Id, project: Line) -> dict[str, Any]:
        """Charge an order to another project.

        Args:
            order_id: The order's number.
            project: The project's name.
        """
        self._row("order", _ORDER, order_id)
        sql = "UPDATE orders SET project = ? WHERE id = ?"
        self.database.change("orders", sql, project, order_id)
        return {"order_id": order_id, "project": project}

    def _placed(self, order_id: int) -> dict[str, Any]:
        order = self._row("order", _ORDER, order_id)
        if order["status"] != "placed":
            raise ToolError(f"order {order_id} is {order['status']} already")
        return {**order, "supplier": self._row("product", _PRODUCT, order["sku"])["supplier"]}
