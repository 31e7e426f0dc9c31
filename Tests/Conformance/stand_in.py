"""A proxy of a few lines with defects that no version of configurable-http-proxy shows within
seconds: what the tests of memory and descriptors must find, and find nothing without them.

    stand_in.py --ip A --port N --api-ip A --api-port N [--leak routes|descriptors]

It knows whole paths only, no TLS, no bodies of requests on its public side.
"""
import argparse
import json
import socket
import threading

words = argparse.ArgumentParser()
for name in ("--ip", "--port", "--api-ip", "--api-port", "--leak"):
    words.add_argument(name, default="")
words = words.parse_args()
routes, kept = {}, []


def answer(connection, status, body=b""):
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def read_request(reader):
    line = reader.readline().decode()
    if not line:
        return None
    length = 0
    while (field := reader.readline()) not in (b"\r\n", b""):
        if field.lower().startswith(b"content-length:"):
            length = int(field.split(b":")[1])
    method, target, _ = line.split(" ")
    return method, target, reader.read(length)


def serve_api(connection):
    with connection, connection.makefile("rb") as reader:
        while request := read_request(reader):
            method, target, body = request
            path = target.removeprefix("/api/routes")
            if method == "POST":
                routes[path] = json.loads(body)
                answer(connection, "201 Created")
            else:
                data = routes.pop(path)
                if words.leak == "routes":
                    kept.append(data)
                answer(connection, "204 No Content")


def serve_public(connection):
    upstream = socket.socket()
    try:
        reader = connection.makefile("rb")
        while request := read_request(reader):
            _, target, _ = request
            host, _, port = routes[target]["target"].removeprefix("http://").partition(":")
            upstream.connect((host, int(port)))
            upstream.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            data = upstream.recv(65536)
            if not data:
                raise ConnectionError
            connection.sendall(data)
    except OSError:
        try:
            answer(connection, "503 Service Unavailable", b"503: gone")
        except OSError:
            pass
        if words.leak == "descriptors":
            kept.append((upstream, connection))
            return
    reader.close()
    upstream.close()
    connection.close()


def listen(address, serve):
    with socket.create_server(address, backlog=64) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


threading.Thread(target=listen, args=((words.api_ip, int(words.api_port)), serve_api), daemon=True).start()
listen((words.ip, int(words.port)), serve_public)
