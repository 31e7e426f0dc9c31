"""200 MB both ways, at full speed and to a slow reader, while the gateway stays small."""
import hashlib
import http.client
import threading
import time

import pytest

from lab.basics import MEGABYTE

SIZE = 200 * MEGABYTE
GROWTH = 8 * 1024       # kilobytes


class Watch:
    """The largest resident size while something runs, against the one before."""

    def __init__(self, gateway):
        self.gateway = gateway

    def __enter__(self):
        self.before = self.most = self.gateway.resident()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def _look(self):
        while not self.stop.wait(0.02):
            self.most = max(self.most, self.gateway.resident())

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.growth = self.most - self.before
        print(f"resident: {self.before} kB before, {self.growth} kB growth")


@pytest.fixture
def signed(client):
    client.sign_in("alice", "/hello")
    # What the process needs once, buffers and code, is not growth.
    download(client, 8 * MEGABYTE)
    upload(client, 8 * MEGABYTE)
    return client


def open_connection(client):
    connection = http.client.HTTPConnection("localhost", client.gateway.port, timeout=60)
    connection.sock = client.connect(client.gateway.url + "/", 60)
    return connection


def download(client, size, pace=None, slow_seconds=0):
    connection = open_connection(client)
    connection.request("GET", f"/big?bytes={size}", headers={"Cookie": client.cookie_field()})
    answer = connection.getresponse()
    assert answer.status == 200
    got, began = 0, time.monotonic()
    while chunk := answer.read(65536):
        got += len(chunk)
        if pace and time.monotonic() - began < slow_seconds:
            time.sleep(max(0, got / pace - (time.monotonic() - began)))
    connection.close()
    assert got == size
    return time.monotonic() - began


def upload(client, size, chunked=False):
    block = bytes(range(256)) * 1024

    def blocks():
        for _ in range(size // len(block)):
            yield block
    connection = open_connection(client)
    fields = {"Cookie": client.cookie_field(), "Origin": client.gateway.url}
    if not chunked:
        fields["Content-Length"] = str(size)
    connection.request("POST", "/sink", blocks(), fields, encode_chunked=chunked)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text[:300]
    connection.close()
    return text


def test_download_at_full_speed(gateway, signed):
    with Watch(gateway) as watch:
        seconds = download(signed, SIZE)
    print(f"{SIZE / seconds / MEGABYTE:.0f} MB/s down")
    assert watch.growth <= GROWTH


def test_download_by_a_reader_of_one_megabyte_a_second(gateway, signed):
    # Slow for long enough that every buffer on the way is full; then the rest as fast as it comes.
    with Watch(gateway) as watch:
        download(signed, SIZE, pace=MEGABYTE, slow_seconds=20)
    assert watch.growth <= GROWTH


@pytest.mark.parametrize("chunked", [False, True])
def test_upload(gateway, upstream, signed, chunked):
    expected = hashlib.sha256()
    block = bytes(range(256)) * 1024
    for _ in range(SIZE // len(block)):
        expected.update(block)
    with Watch(gateway) as watch:
        upload(signed, SIZE, chunked)
    assert upstream.last("/sink").sha256 == expected.hexdigest()
    assert watch.growth <= GROWTH
