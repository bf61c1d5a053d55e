# SPDX-License-Identifier: LGPL-2.1-or-later
"""Between the element and the local server: passes on what both send, and keeps the requests."""
import socket
import struct
import threading

import msgpack


class Messages:
    """A client's side of one connection: its upgrade request, then WebSocket frames (RFC 6455)."""

    def __init__(self):
        self.target = None  # of the upgrade request
        self.bytes = b""
        self.message = b""

    def feed(self, data):
        """The messages that are whole with this."""
        self.bytes += data
        if self.target is None:
            head, end, rest = self.bytes.partition(b"\r\n\r\n")
            if not end:
                return
            self.target, self.bytes = head.split()[1].decode(), rest
        while (frame := self.take_frame()) is not None:
            first, payload = frame
            if first & 0x08:  # ping, pong, close
                continue
            self.message += payload
            if first & 0x80:
                yield self.message
                self.message = b""

    def take_frame(self):
        """The first byte and the unmasked payload of the next frame; None: it is not whole."""
        if len(self.bytes) < 14:  # as short is only a ping or a close, and it may wait
            return None
        length, begin = self.bytes[1] & 0x7F, 2
        if length == 126:
            length, begin = struct.unpack_from(">H", self.bytes, 2)[0], 4
        elif length == 127:
            length, begin = struct.unpack_from(">Q", self.bytes, 2)[0], 10
        end = begin + 4 + length
        if len(self.bytes) < end:
            return None
        first, mask, payload = self.bytes[0], self.bytes[begin:begin + 4], self.bytes[begin + 4:end]
        self.bytes = self.bytes[end:]
        key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        return first, (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big")


class Recorder:
    """On loopback, at any port. What it keeps may be read at any time."""

    def __init__(self, uri):
        self.server = ("127.0.0.1", int(uri.rsplit(":", 1)[1]))
        self.requests = []  # maps, in the order in which they came
        self.targets = []   # path and query of each upgrade
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = "ws://127.0.0.1:{}".format(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                self.sockets += [client, server]
                for way in ((client, server, Messages()), (server, client, None)):
                    threading.Thread(target=self.pass_on, args=way, daemon=True).start()
        except OSError:
            pass  # closed

    def pass_on(self, source, to, messages):
        try:
            while data := source.recv(65536):
                if messages:
                    self.note(messages, data)
                to.sendall(data)
        except OSError:
            pass
        for end in (source, to):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def note(self, messages, data):
        known = messages.target
        for message in messages.feed(data):
            self.requests.append(msgpack.unpackb(message))
        if known is None and messages.target is not None:
            self.targets.append(messages.target)

    def close(self):
        """Ends all connections, and takes no new one."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        self.listener.close()
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self.sockets = []
