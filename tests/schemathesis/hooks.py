"""Keeps the waits that schemathesis draws short: a long poll that waits is no defect."""

import schemathesis

# Seconds. Longer ones only make the run slower.
WAIT_MAX = 0.05
# Above this the door refuses, which has to be tried too.
GOOD_MAX = 9_000_000_000_000


def shorten(values, name):
    """Shortens a wait that the door would take."""
    value = values.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= GOOD_MAX:
        values[name] = min(value, WAIT_MAX)


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict):
        shorten(body, "wait_s")
    return body


@schemathesis.hook
def map_query(context, query):
    if query and query.get("wait"):
        query.setdefault("timeout_s", WAIT_MAX)
        shorten(query, "timeout_s")
    return query
