"""On which processor, with which libraries, was a cost measured?"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("numpy", "pandas", "scikit-learn", "torch", "xgboost")


def describe(device: str) -> dict[str, object]:
    """Return processor, cores, threads a process, device, Python and the versions of the libraries that do the work."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        "device": _cuda_name() if device == "cuda" else device,
        "python": platform.python_version(),
        "libraries": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that do the work."""
    return {name: version(name) for name in LIBRARIES}


def together(records: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return one record for what several workers say: every name that differs, the most cores."""
    told = {key: list(dict.fromkeys(str(one[key]) for one in records)) for key in ("processor", "device", "python")}
    most = max(records, key=lambda one: int(str(one["cores"])))
    return {**most, **{key: " and ".join(sorted(names)) for key, names in told.items()}}


def write(path: Path, record: Mapping[str, object]) -> None:
    """Write what `describe` or `together` says as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _cuda_name() -> str:
    import torch  # two seconds, which a generator without a network need not spend

    return str(torch.cuda.get_device_name())


def _processor() -> str:
    """Return the processor's name; `platform.processor()` is empty or only an architecture on Linux."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
