"""S3 requests byte by byte, for what no SDK would send: signed by botocore, sent through a socket."""
import hashlib
import hmac
import socket
import urllib.parse

import botocore.awsrequest
import botocore.credentials
from botocore.auth import S3SigV4Auth

EMPTY = hashlib.sha256(b"").hexdigest()


class Signer(S3SigV4Auth):
    """Signs with whatever the payload is said to be."""

    def __init__(self, user, secret, payload):
        super().__init__(botocore.credentials.Credentials(user, secret), "s3", "us-east-1")
        self.said = payload

    def payload(self, request):
        return self.said


class Request:
    """A signed request: its head as bytes, and what chunk signatures go on from."""

    def __init__(self, store, method, path, headers=None, payload="UNSIGNED-PAYLOAD", query="", user="trino",
                 secret=None):
        self.secret = secret or store.secret(user)
        self.path, self.method, self.store = urllib.parse.quote(path) + query, method, store
        request = botocore.awsrequest.AWSRequest(method=method, url=store.url + self.path,
                                                 headers=dict(headers or {}))
        Signer(user, self.secret, payload).add_auth(request)
        self.headers = {k: v for k, v in request.headers.items()}
        self.headers["Host"] = "127.0.0.1:%d" % store.port
        authorization = self.headers["Authorization"]
        self.signature = authorization.rpartition("Signature=")[2]
        self.date = self.headers["X-Amz-Date"]
        self.scope = "%s/us-east-1/s3/aws4_request" % self.date[:8]
        key = ("AWS4" + self.secret).encode()
        for part in self.scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        self.key = key

    def head(self):
        lines = ["%s %s HTTP/1.1" % (self.method, self.path)] + ["%s: %s" % h for h in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _sign(self, algorithm, *parts):
        text = "\n".join((algorithm, self.date, self.scope, self.signature) + parts)
        self.signature = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return self.signature

    def chunk(self, data):
        signature = self._sign("AWS4-HMAC-SHA256-PAYLOAD", EMPTY, hashlib.sha256(data).hexdigest())
        return b"%x;chunk-signature=%s\r\n" % (len(data), signature.encode()) + (data and data + b"\r\n")

    def trailer(self, line):
        signature = self._sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(line.encode() + b"\n").hexdigest())
        return b"%s\r\nx-amz-trailer-signature:%s\r\n\r\n" % (line.encode(), signature.encode())

    def connect(self):
        if hasattr(self.store, "connect"):
            return self.store.connect(timeout=20)
        return socket.create_connection(("127.0.0.1", self.store.port), timeout=20)

    def send(self, body=b""):
        """The status, the body and the headers of the answer."""
        with self.connect() as s:
            try:
                s.sendall(self.head() + body)
            except OSError:
                pass        # refused while we sent: the answer is there all the same
            return read_answer(s)


def read_answer(s):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = s.recv(65536)
        if not piece:
            raise EOFError("no answer: %r" % data)
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        piece = s.recv(65536)
        if not piece:
            break
        body += piece
    return int(lines[0].split()[1]), body, headers


def code_of(body):
    return body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
