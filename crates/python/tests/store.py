"""A store of objects on a server of this machine."""

import os
import sys
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "spark"))

from servers import on_demand


@pytest.fixture
def bucket(monkeypatch):
    """The URL of a new bucket, and an environment in which its server is S3."""
    with on_demand() as url:
        server = url("moto")
        if server is None and "DISTIL_REQUIRE_SPARK" not in os.environ:
            pytest.skip("the server moto does not start")
        assert server, "the server moto does not start, and DISTIL_REQUIRE_SPARK demands it"
        name = f"python-{uuid.uuid4().hex}"
        urllib.request.urlopen(urllib.request.Request(f"{server}/{name}", method="PUT"))
        monkeypatch.setenv("AWS_ENDPOINT_URL", server)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        yield f"s3://{name}"


def ask(url, method="GET", data=None, query=""):
    """The body of an answer of the store, past the code that is tested; none if there is no such object."""
    place = url.removeprefix("s3://")
    request = urllib.request.Request(
        f"{os.environ['AWS_ENDPOINT_URL']}/{urllib.parse.quote(place)}{query}",
        method=method,
        data=data,
    )
    # The server wants to see who asks, and looks no closer. Without a type it takes a body for a form.
    request.add_header(
        "Authorization", "AWS4-HMAC-SHA256 Credential=tests/1/us-east-1/s3/x, Signature=0"
    )
    request.add_header("Content-Type", "application/octet-stream")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise
