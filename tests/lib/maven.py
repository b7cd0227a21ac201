"""Software from Maven Central, through Maven's own client, kept in .cache/maven and checked by its SHA-256."""
import hashlib
import os
import shutil
import subprocess

import dp

PINNED = {
    "io.trino:trino-cli:476:jar:executable": "fe4e9c7fb569cd67673afa1622945f6308e1e59bdb825419352b80887661757b",
    "org.keycloak:keycloak-quarkus-dist:26.7.3:tar.gz": "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47",
    "io.trino:trino-jdbc:476": "a3736d21609a5a317d2ce88b3835e312e9b6f41393c1d4b09f2ad6e7aeb3bb90",
}
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fetch(artifact):
    """The path of a pinned artifact's file."""
    parts = artifact.split(":")
    name = "-".join(parts[1:3] + parts[4:]) + "." + (parts[3] if len(parts) > 3 else "jar")
    folder = os.path.join(dp.ROOT, ".cache", "maven")
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        if not shutil.which("mvn"):
            raise dp.Skip("mvn is missing: install the package maven")
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["mvn", "-q", "-B", PLUGIN, "-Dartifact=" + artifact, "-DoutputDirectory=" + folder],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError("mvn could not fetch %s:\n%s%s" % (artifact, done.stdout, done.stderr))
    if _sha256(path) != PINNED[artifact]:
        raise RuntimeError("%s has sha256 %s, expected %s: remove it and run again" % (
            path, _sha256(path), PINNED[artifact]))
    return path
