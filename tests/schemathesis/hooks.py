"""Keeps what schemathesis draws to what can be a defect.

A long poll that waits is none, so waits are short. White space around a header's value is no part of it.
Headers that go with raw bodies only are left out of good requests in JSON, or hardly one would be accepted.
"""

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
def filter_headers(context, headers):
    return all(str(value) == str(value).strip(" \t") for value in (headers or {}).values())


@schemathesis.hook
def before_call(context, case, kwargs):
    is_json = (case.media_type or "").startswith("application/json")
    if is_json and case.meta is not None and case.meta.generation.mode.is_positive:
        for name in [name for name in case.headers or {} if name.lower().startswith("meshmq-")]:
            del case.headers[name]


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
