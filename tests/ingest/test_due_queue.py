from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.due_queue import DueQueue


def test_what_is_due_is_taken_in_order_and_once() -> None:
    queue = DueQueue()
    for name, due in (("late", 9.0), ("second", 2.0), ("first", 1.0)):
        queue.put(name, due)
    assert queue.take(2.0) == ["first", "second"]
    assert queue.take(2.0) == []
    assert "late" in queue
    assert "first" not in queue


def test_a_name_put_again_is_due_when_said_last() -> None:
    queue = DueQueue()
    queue.put("feed", 1.0)
    queue.put("feed", 5.0)
    assert queue.take(4.0) == []
    assert queue.wait(4.0, longest=30.0) == 1.0
    queue.put("feed", 0.0)
    assert queue.take(4.0) == ["feed"]
    assert queue.take(9.0) == []


def test_a_dropped_name_is_never_due() -> None:
    queue = DueQueue()
    queue.put("feed", 1.0)
    queue.drop("feed")
    queue.drop("feed")
    assert queue.take(9.0) == []
    assert queue.wait(9.0, longest=30.0) == 30.0


def test_what_is_overdue_is_not_waited_for() -> None:
    queue = DueQueue()
    queue.put("feed", 1.0)
    assert queue.wait(5.0, longest=30.0) == 0.0


names = st.sampled_from("abc")
changes = st.lists(st.tuples(names, st.none() | st.integers(0, 5)), max_size=30)


@given(changes, st.integers(0, 6))
def test_it_behaves_as_a_table_of_times(steps: list[tuple[str, int | None]], now: int) -> None:
    queue, table = DueQueue(), dict[str, int]()
    for name, due in steps:
        if due is None:
            queue.drop(name)
            table.pop(name, None)
        else:
            queue.put(name, due)
            table[name] = due
    later = [due - now for due in table.values()]
    assert queue.wait(now, longest=99) == max(min([*later, 99]), 0)
    assert sorted(queue.take(now)) == sorted(name for name, due in table.items() if due <= now)
