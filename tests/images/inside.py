"""Runs inside a container of ours and checks what it promises. Arguments: names of modules that must not be importable."""

import importlib.util
import os
import pathlib
import shutil
import sys

status = dict(
    line.split(":\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in line
)
problems = []
if (os.getuid(), os.getgid()) != (10001, 10001):
    problems.append(f"runs as {os.getuid()}:{os.getgid()}, not as 10001:10001")
problems += [f"{name} is {status[name]}" for name in ("CapPrm", "CapEff", "CapBnd") if int(status[name], 16)]
if status["NoNewPrivs"] != "1":
    problems.append("may gain privileges")
problems += [
    f"{folder} is not read-only"
    for folder in ("/", "/etc", "/opt/envoy-relay", "/usr/local")
    if not os.statvfs(folder).f_flag & os.ST_RDONLY
]
for folder in ("/var/lib/envoy-relay", "/tmp"):
    probe = pathlib.Path(folder, ".probe")
    probe.touch()
    probe.unlink()
if pathlib.Path("/var/lib/envoy-relay").stat().st_mode & 0o077:
    problems.append("others can enter the state directory")
problems += [
    f"{name} is there" for name in ("pip", "hatchling", "pytest", *sys.argv[1:]) if importlib.util.find_spec(name)
]
problems += [f"the command {name} is there" for name in ("pip", "pip3") if shutil.which(name)]
problems += [f"{path} is there" for path in ("/source", "/wheel", "/build") if pathlib.Path(path).exists()]
sys.exit("; ".join(problems) or None)
