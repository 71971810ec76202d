"""The stores under test: the same as those of the contract."""

from tests.receiver.stores.conftest import make_store, store

__all__ = ["make_store", "store"]
