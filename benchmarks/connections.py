"""Several keep-alive connections that post prepared requests, each as fast as its answers come."""

import socket
import threading
import time


def post(port: int, prepared: list[list[bytes]], *, success: int = 200) -> float:
    """Seconds that it takes to post everything: one list of whole requests for each connection.

    Everything is encoded beforehand and answers are hardly looked at, so that what is measured is the server.
    Raises RuntimeError for an answer that has not the status `success`.
    """
    go = threading.Barrier(len(prepared) + 1)
    failures: list[Exception] = []
    threads = [
        threading.Thread(target=_post_all, args=(port, requests, success, go, failures)) for requests in prepared
    ]
    return _join(threads, go, failures)


def post_paced(port: int, prepared: list[list[bytes]], pace_s: float, *, success: int = 200) -> list[float]:
    """The wait (seconds) of each request, of which every connection sends one each `pace_s`; the connections in turn.

    A request that should have been sent while the one before it was unanswered counts from when it should have been.
    Raises RuntimeError as `post`.
    """
    go = threading.Barrier(len(prepared) + 1)
    failures: list[Exception] = []
    waits: list[float] = []
    threads = [
        threading.Thread(
            target=_post_in_time,
            args=(port, requests, success, go, failures, waits, pace_s, pace_s * index / len(prepared)),
        )
        for index, requests in enumerate(prepared)
    ]
    _join(threads, go, failures)
    return waits


def _join(threads: list[threading.Thread], go: threading.Barrier, failures: list[Exception]) -> float:
    for thread in threads:
        thread.start()
    go.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    return seconds


def _post_in_time(
    port: int,
    requests: list[bytes],
    success: int,
    go: threading.Barrier,
    failures: list[Exception],
    waits: list[float],
    pace_s: float,
    begin_s: float,
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        go.wait()
        due = time.perf_counter() + begin_s
        try:
            for request in requests:
                time.sleep(max(0.0, due - time.perf_counter()))
                connection.sendall(request)
                _expect(connection, success)
                waits.append(time.perf_counter() - due)
                due += pace_s
        except (OSError, RuntimeError) as error:
            failures.append(error)


def _post_all(port: int, requests: list[bytes], success: int, go: threading.Barrier, failures: list[Exception]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        go.wait()
        try:
            for request in requests:
                connection.sendall(request)
                _expect(connection, success)
        except (OSError, RuntimeError) as error:
            failures.append(error)


def _expect(connection: socket.socket, success: int) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d" % success):
        raise RuntimeError(head.decode(errors="replace"))
    lines = head.lower().split(b"\r\n")
    lengths = (line.partition(b":")[2] for line in lines if line.startswith(b"content-length:"))
    length = int(next(lengths, b"0"))  # 204 has none
    while len(body) < length:
        body += _receive(connection)


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("the server closed the connection")
    return data
