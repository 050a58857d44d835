"""<heapyard/trial.h>: the engine, for trials inside this process. Tables are void pointers."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_size_t, c_uint32, c_uint64, c_void_p
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, function


class TrialStateStruct(Structure):
    """Progress, written before each operation (hy_trial_state)."""

    _fields_ = (("op", c_uint64), ("round", c_uint64), ("operations", c_uint64))


class TrialBenchStruct(Structure):
    """What a benchmark runs (hy_trial_bench)."""

    _fields_ = (
        *((name, c_uint32) for name in ("size", "plan", "is_sized", "warm_up")),
        *((name, c_uint64) for name in ("live", "low", "high", "seed", "pairs")),
    )


class TrialFuzzStruct(Structure):
    """A request for random plans (hy_trial_fuzz)."""

    _fields_ = (
        ("magic", c_uint64),
        ("size", c_uint32),
        ("functions", c_uint32),
        *((name, c_uint64) for name in ("flags", "seed", "first", "count")),
        ("checks", c_uint32),
        ("threads", c_uint32),
        ("omits", c_uint64),
    )


_RUN = (c_void_p, c_size_t, c_void_p, c_char_p, c_size_t, POINTER(TrialStateStruct))
_BENCH = (POINTER(TrialBenchStruct), c_void_p, c_size_t, c_void_p, c_char_p, c_size_t)

PART = Part(
    library="libheapyard_trial",
    headers=("trial.h", "plan.h", "target.h", "recording.h"),
    structs=MappingProxyType(
        {
            "hy_trial_state": TrialStateStruct,
            "hy_trial_bench": TrialBenchStruct,
            "hy_trial_fuzz": TrialFuzzStruct,
        }
    ),
    functions=(
        function("hy_trial_run", c_size_t, *_RUN),
        function("hy_trial_run_functions", c_size_t, *_RUN),
        function("hy_trial_bench_functions", c_size_t, *_BENCH),
        function("hy_trial_early_block", c_void_p, c_uint32),
        function("hy_trial_draw", c_size_t, POINTER(TrialFuzzStruct), c_uint64, c_void_p, c_size_t),
        function("hy_trial_op_name", c_char_p, c_uint32),
        function("hy_trial_check_name", c_char_p, c_uint32),
        function("hy_trial_measure_name", c_char_p, c_uint32),
        function("hy_trial_function_name", c_char_p, c_uint32),
    ),
)
