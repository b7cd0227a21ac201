"""An OpenID provider that says what a test wants: discovery, a JWK set, and tokens signed with keys of its own.

    with issuer.Issuer() as provider:
        token = provider.token(sub="ada", aud="store", policy="readonly")
"""
import base64
import http.server
import json
import os
import subprocess
import threading
import time


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An RSA key of the openssl program's making."""

    def __init__(self, folder, kid):
        self.kid, self.file = kid, os.path.join(folder, kid + ".pem")
        subprocess.run(["openssl", "genrsa", "-out", self.file, "2048"], check=True, stderr=subprocess.DEVNULL)
        out = subprocess.run(["openssl", "rsa", "-in", self.file, "-noout", "-modulus"], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        self.n = bytes.fromhex(out.strip().split("=")[1])

    def jwk(self):
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": b64(self.n), "e": "AQAB"}

    def sign(self, claims, **header):
        head = dict({"alg": "RS256", "typ": "JWT", "kid": self.kid}, **header)
        text = "%s.%s" % (b64(json.dumps(head).encode()), b64(json.dumps(claims).encode()))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file], input=text.encode(), check=True,
                                   stdout=subprocess.PIPE).stdout
        return "%s.%s" % (text, b64(signature))


class Issuer:
    def __init__(self, folder):
        self.folder, self.fetches, self.down, self.delay = folder, 0, False, 0
        self.key = Key(folder, "key-1")
        self.keys = [self.key]
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/.well-known/openid-configuration":
                    body = {"issuer": issuer.url, "jwks_uri": issuer.url + "/certs"}
                elif self.path == "/certs":
                    issuer.fetches += 1
                    body = {"keys": [k.jwk() for k in issuer.keys]}
                else:
                    self.send_error(404)
                    return
                time.sleep(issuer.delay)
                if issuer.down:
                    self.send_error(503)
                    return
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def rotate(self):
        """A new key signs from now on; the old one isn't published any longer."""
        self.key = Key(self.folder, "key-%d" % (int(self.key.kid[4:]) + 1))
        self.keys = [self.key]

    def claims(self, **more):
        now = int(time.time())
        base = {"iss": self.url, "sub": "1234", "aud": "store", "iat": now, "exp": now + 300}
        return {k: v for k, v in dict(base, **more).items() if v is not None}

    def token(self, **more):
        return self.key.sign(self.claims(**more))
