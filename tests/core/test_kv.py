"""Storage, on every database that tests run on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from toru.core.kv import Kv, Page, parse
from toru.domain.errors import InvalidInput, TooLarge
from toru.domain.ids import PluginId
from toru.domain.policy import KvPolicy
from toru.store import kv as store
from toru.store.engine import Database
from toru.store.kv import Usage, first_beyond

ONE, OTHER = PluginId("one"), PluginId("other")

SMALL = KvPolicy(value_bytes=100, total_bytes=1000, keys=5)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Storage:
    """Waits for each answer, which is what most tests want."""

    def __init__(self, database: Database, policy: KvPolicy, clock: Clock) -> None:
        self.kv = Kv(database, policy, clock)

    def get(self, plugin_id: PluginId, key: object) -> Any:
        found = asyncio.run(self.kv.get(plugin_id, key))
        return None if found is None else json.loads(found)

    def set(self, plugin_id: PluginId, key: object, value: object, ttl: object = None) -> str:
        return asyncio.run(self.kv.set(plugin_id, key, value, ttl))

    def delete(self, plugin_id: PluginId, key: object) -> None:
        asyncio.run(self.kv.delete(plugin_id, key))

    def page(self, plugin_id: PluginId, prefix: str = "", after: str = "", count: int = 100) -> Page:
        return asyncio.run(self.kv.page(plugin_id, prefix=prefix, after=after, count=count))

    def keys(self, plugin_id: PluginId, prefix: str = "") -> list[str]:
        return [entry.key for entry in self.page(plugin_id, prefix).entries]

    def sweep(self) -> int:
        return asyncio.run(self.kv.sweep())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(database: Database, clock: Clock) -> Iterator[Storage]:
    yield Storage(database, KvPolicy(), clock)
    consistent(database)


@pytest.fixture
def small(database: Database, clock: Clock) -> Iterator[Storage]:
    yield Storage(database, SMALL, clock)
    consistent(database)


def consistent(database: Database) -> None:
    """What is noted of each plugin's usage is what the database itself counts."""
    size = "octet_length({0})" if database.is_shared else "length(CAST({0} AS BLOB))"
    total = f"SUM({size.format('key')} + {size.format('value')})"
    question = f"SELECT plugin_id, COUNT(*), {total}, SUM(size_bytes) FROM plugin_kv GROUP BY plugin_id"  # noqa: S608  ours
    with database.reading() as session:
        for plugin_id, keys, size_bytes, noted in session.execute(text(question)):
            assert store.usage_of(session, plugin_id) == Usage(keys=keys, bytes=int(size_bytes))
            assert noted == size_bytes


VALUES: list[Any] = [
    *(None, True, 0, -1.5, 10**30, 1e300, "", "text", "é日本語🙂", "\ud800", "a\0b", '"\\\n'),
    *([], {}, {"a": [1, {"b": None}]}),
]


@pytest.mark.req("KV-1")
@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_what_was_set_is_what_is_got(storage: Storage, value: object) -> None:
    storage.set(ONE, "k", "another")
    assert json.loads(storage.set(ONE, "k", value)) == value
    assert storage.get(ONE, "k") == value


@pytest.mark.req("KV-1")
def test_what_was_deleted_is_gone_and_deleting_it_again_is_no_error(storage: Storage) -> None:
    storage.set(ONE, "k", 1)
    storage.delete(ONE, "k")
    storage.delete(ONE, "k")
    storage.delete(OTHER, "k")
    assert storage.get(ONE, "k") is None


@pytest.mark.req("KV-2")
def test_plugins_share_nothing(storage: Storage) -> None:
    storage.set(ONE, "k", "one's")
    storage.set(OTHER, "k", "other's")
    storage.delete(ONE, "k")
    assert storage.get(OTHER, "k") == "other's"
    assert storage.keys(ONE) == []


@pytest.mark.req("KV-1", "SEC-5")
@pytest.mark.parametrize("key", [None, 1, "", [], "a\0b", "\ud800", True], ids=ascii)
def test_a_key_that_is_none_is_refused(storage: Storage, key: object) -> None:
    for act in (
        lambda: storage.get(ONE, key),
        lambda: storage.set(ONE, key, 1),
        lambda: storage.delete(ONE, key),
    ):
        with pytest.raises(InvalidInput, match="key"):
            act()


@pytest.mark.req("KV-1")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_a_value_that_json_can_not_say_is_refused(storage: Storage, value: object) -> None:
    with pytest.raises(InvalidInput, match="value"):
        storage.set(ONE, "k", value)


@pytest.mark.req("KV-3")
def test_limits_are_where_they_are_said_to_be(small: Storage) -> None:
    small.set(ONE, "é" * 256, "x" * 98)
    with pytest.raises(TooLarge, match="513 bytes"):
        small.set(ONE, "é" * 256 + "x", 1)
    with pytest.raises(TooLarge, match="101 bytes"):
        small.set(ONE, "k", "x" * 99)
    small.delete(ONE, "é" * 256)
    for number in range(5):
        small.set(ONE, str(number), number)
    with pytest.raises(TooLarge, match="5 keys"):
        small.set(ONE, "one more", 1)
    small.set(ONE, "4", "another")
    small.set(OTHER, "of its own", 1)
    small.delete(ONE, "0")
    small.set(ONE, "one more", 1)


@pytest.mark.req("KV-3")
def test_all_values_together_have_a_limit(database: Database, clock: Clock) -> None:
    storage = Storage(database, KvPolicy(value_bytes=400, total_bytes=1000, keys=100), clock)
    storage.set(ONE, "a", "x" * 398)
    storage.set(ONE, "b", "x" * 398)
    with pytest.raises(TooLarge, match="1000 bytes"):
        storage.set(ONE, "c", "x" * 398)
    storage.set(ONE, "c", "x" * 195)
    storage.set(ONE, "b", "y" * 398)
    consistent(database)


@pytest.mark.req("KV-3")
def test_who_is_beyond_a_lowered_limit_may_make_it_less(database: Database, clock: Clock) -> None:
    before = Storage(database, KvPolicy(), clock)
    for number in range(10):
        before.set(ONE, str(number), "x" * 90)
    after = Storage(database, KvPolicy(value_bytes=100, total_bytes=200, keys=2), clock)
    after.set(ONE, "3", "x")
    with pytest.raises(TooLarge):
        after.set(ONE, "3", "xx")
    after.delete(ONE, "4")
    consistent(database)


@pytest.mark.req("KV-4")
def test_what_has_expired_is_gone_and_its_room_free(small: Storage, clock: Clock) -> None:
    for number in range(5):
        small.set(ONE, str(number), number, ttl=10 + number)
    clock.now += 10
    assert small.get(ONE, "0") is None
    assert small.keys(ONE) == ["1", "2", "3", "4"]
    small.set(ONE, "in its place", 1)
    clock.now += 2
    assert small.sweep() == 2
    assert small.sweep() == 0
    assert small.keys(ONE) == ["3", "4", "in its place"]


@pytest.mark.req("KV-4")
def test_setting_anew_ends_an_expiry(storage: Storage, clock: Clock) -> None:
    storage.set(ONE, "k", 1, ttl=10)
    storage.set(ONE, "k", 2)
    clock.now += 1000
    assert storage.sweep() == 0
    assert storage.get(ONE, "k") == 2


@pytest.mark.req("KV-4")
@pytest.mark.parametrize("ttl", [0, -1, True, "10", [], float("nan"), float("inf"), 10**400])
def test_an_expiry_that_is_none_is_refused(storage: Storage, ttl: object) -> None:
    with pytest.raises(InvalidInput, match="ttl"):
        storage.set(ONE, "k", 1, ttl)


KEYS = sorted(["a", "a/1", "a/2", "a%", "a_", "ab", "B", "é", "日本", "\ud7ff", "\ue000", "\U0010ffff", "\U0010ffffx"])


@pytest.mark.req("KV-4")
def test_the_listing_is_in_the_order_of_the_keys_and_by_prefix(storage: Storage) -> None:
    for key in reversed(KEYS):
        storage.set(ONE, key, key)
        storage.set(OTHER, key, "not this")
    assert storage.keys(ONE) == KEYS
    for prefix in ("a", "a/", "a%", "é", "\ud7ff", "\U0010ffff", "nothing"):
        assert storage.keys(ONE, prefix) == [key for key in KEYS if key.startswith(prefix)]
    assert [json.loads(entry.value) for entry in storage.page(ONE).entries] == KEYS


@pytest.mark.req("KV-4")
@pytest.mark.parametrize("count", [1, 2, 7, len(KEYS), 100])
def test_pages_give_every_entry_once(storage: Storage, count: int) -> None:
    for key in KEYS:
        storage.set(ONE, key, 1)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = storage.page(ONE, after=after, count=count)
        assert 1 <= len(page.entries) <= count
        seen += [entry.key for entry in page.entries]
        after = page.next
    assert seen == KEYS


@pytest.mark.req("KV-4")
def test_a_page_of_large_values_is_shorter(storage: Storage) -> None:
    for number in range(4):
        storage.set(ONE, str(number), "x" * 500_000)
    assert [(len(page.entries), page.next) for page in (storage.page(ONE), storage.page(ONE, after="1"))] == [
        (2, "1"),
        (2, None),
    ]


@pytest.mark.req("KV-3")
def test_writers_at_once_lose_nothing(storage: Storage, database: Database) -> None:
    async def all_at_once() -> None:
        kv = Kv(database, KvPolicy())
        await asyncio.gather(*(kv.set(ONE, str(number % 50), number) for number in range(200)))

    with ThreadPoolExecutor(2) as pool:  # two event loops: on PostgreSQL, two hosts
        for done in [pool.submit(asyncio.run, all_at_once()) for _ in range(2)]:
            done.result()
    assert len(storage.keys(ONE)) == 50


@pytest.mark.req("KV-3")
def test_one_that_is_refused_takes_no_other_with_it(database: Database, clock: Clock) -> None:
    async def all_at_once() -> list[Any]:
        kv = Kv(database, SMALL, clock)
        sets = (kv.set(PluginId(f"p{number // 10}"), str(number), number) for number in range(100))
        return await asyncio.gather(*sets, return_exceptions=True)

    outcomes = asyncio.run(all_at_once())
    assert sum(isinstance(outcome, TooLarge) for outcome in outcomes) == 50
    assert [outcome for outcome in outcomes if not isinstance(outcome, str | TooLarge)] == []
    storage = Storage(database, SMALL, clock)
    assert [len(storage.keys(PluginId(f"p{number}"))) for number in range(10)] == [5] * 10
    consistent(database)


def test_the_text_after_every_text_of_a_prefix() -> None:
    assert [first_beyond(text) for text in ("", "a", "a\U0010ffff", "\ud7ff", "\U0010ffff")] == [
        None,
        "b",
        "b",
        "\ue000",
        None,
    ]


@pytest.mark.req("KV-1")
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"\xff", b"{", b"[" * 100_000, b'{"a":' + b"9" * 10_000 + b"}"], ids=range(7)
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="body"):
        parse(body)
