"""Certificates for tests, by the command openssl: a CA of a test's own, and what it signs."""
import os
import shutil
import subprocess

import dp


def _openssl(*args, stdin=None):
    if not shutil.which("openssl"):
        raise dp.Skip("openssl is missing: install the package openssl")
    done = subprocess.run(["openssl", *args], capture_output=True, text=True, input=stdin)
    if done.returncode:
        raise RuntimeError("openssl %s:\n%s" % (" ".join(args), done.stderr))


class Authority:
    """A CA in files: `certificate` and `key`. With both given, one that is there already."""

    def __init__(self, folder, certificate=None, key=None):
        self.folder = folder
        self.certificate = certificate or os.path.join(folder, "test-ca.pem")
        self.key = key or os.path.join(folder, "test-ca-key.pem")
        if not certificate:
            _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", "/CN=Test CA", "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, hosts=(), days=30, to=None, usage="serverAuth", rsa=False,
              organization=None):
        """A PEM file with certificate and key; `days` 0 makes one that ends now."""
        made = os.path.join(self.folder, name + ".new")
        request, extensions = made + ".csr", made + ".ext"
        algorithm = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        with open(extensions, "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\nextendedKeyUsage=%s\n" % usage)
            if hosts:
                f.write("subjectAltName=%s\n" % ",".join(
                    ("IP:" if h[0].isdigit() else "DNS:") + h for h in hosts))
        _openssl("req", "-new", "-newkey", *algorithm, "-nodes", "-subj",
                 ("/O=" + organization if organization else "") + "/CN=" + name, "-keyout", made + ".key",
                 "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                 "-days", str(days), "-extfile", extensions, "-out", made + ".crt")
        path = to or os.path.join(self.folder, name + ".pem")
        with open(made, "w") as f:
            f.write(open(made + ".crt").read() + open(made + ".key").read())
        os.chmod(made, 0o600)
        os.rename(made, path)
        return path
