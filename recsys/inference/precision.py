"""Where and in which number format to train."""

from contextlib import AbstractContextManager
from typing import Literal

import torch

from recsys.core.errors import ConfigError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(device: Device) -> torch.device:
    """`auto` takes CUDA where it is there.

    Raises:
        ConfigError: CUDA is asked for and not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError('[train] device: CUDA must be available, got a machine without; set device = "auto"')
    return torch.device("cuda" if device == "auto" and torch.cuda.is_available() else device if device != "auto" else "cpu")


def choose_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """`auto` takes bfloat16 where the processor multiplies in it, else float32."""
    if precision == "float32":
        return torch.float32
    if precision == "bfloat16":
        return torch.bfloat16
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_has_bfloat16()
    return torch.bfloat16 if fast else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[None]:
    """Autocast to `dtype`; float32 is no cast at all."""
    context: AbstractContextManager[None] = torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)
    return context


def _cpu_has_bfloat16() -> bool:
    capabilities = torch.backends.cpu.get_cpu_capability()
    if not capabilities.startswith("AVX512"):
        return False
    return bool(torch.cpu._is_avx512_bf16_supported())
