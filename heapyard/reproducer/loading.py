"""How a program gets at the allocator: as malloc itself, or from a library that it opens."""

from collections.abc import Iterable

from heapyard.reproducer.signatures import SIGNATURES, Signature
from heapyard.reproducer.writer import Used
from heapyard.trial.targets import Target

__all__ = ["Loading", "loading_of"]

_TABLE_HEAD = """\
/* How the library offers its allocator: <heapyard/target.h>. */
struct heapyard_target {
    uint32_t size, version;
    const char *name;
    uint64_t flags;
    size_t min_alignment, max_size;
    void *(*open)(void);
    void (*close)(void *handle);"""


_EXTENSIONS = frozenset({"memalign", "valloc", "pvalloc", "reallocarray", "trim", "usable_size"})
"""What a library that replaces malloc may leave to the libc, whose blocks and heap are others."""


class Loading:
    """Functions by their own names: the program's libc's, or those of a preloaded library."""

    arguments = "void"
    command = "./a.out"
    build = "cc {file}"
    replaces_malloc = True

    def __init__(self, target: Target) -> None:
        self.target = target

    def declarations(self, used: Used) -> list[str]:
        """The functions through which the allocator is called, as C text."""
        functions = _in_order(used)
        if any(not SIGNATURES[name].header for name in functions):
            used.helpers.add("look_up")
        if self.target.path is not None and _EXTENSIONS & set(functions):
            used.helpers.add("own")
        lines = [
            f"{_pointer(name)}{f' = {SIGNATURES[name].symbol}' if SIGNATURES[name].header else ''};"
            for name in functions
        ]
        why = "/* Through volatile pointers: no compiler may leave a call out. */"
        return ["\n".join([why, *lines])] if lines else []

    def start(self, used: Used) -> list[str]:
        """What main does first."""
        owns = "own" in used.helpers
        return [
            f'call_{name} = look_up(RTLD_DEFAULT, "{name}");'
            if not SIGNATURES[name].header
            else f'own("{SIGNATURES[name].symbol}");'
            for name in _in_order(used)
            if not SIGNATURES[name].header or (owns and name in _EXTENSIONS)
        ]


class _Preloaded(Loading):
    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.command = f"LD_PRELOAD={target.path} ./a.out"


class _Static(Loading):
    build = "musl-gcc -static {file}"


class _Opened(Loading):
    """Functions with a prefix, in a library that the program opens."""

    replaces_malloc = False
    arguments = "int count, char **arguments"

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.command = f"./a.out {target.path}"

    def declarations(self, used: Used) -> list[str]:
        used.helpers.add("look_up")
        used.headers |= {"stdio.h", "dlfcn.h"}
        lines = [f"{_pointer(name)};" for name in _in_order(used)]
        return ["\n".join(["/* The allocator's functions. */", *lines])]

    def start(self, used: Used) -> list[str]:
        prefix = self.target.prefix
        return [
            *_OPENING,
            *(
                f'call_{name} = look_up(library, "{prefix}{SIGNATURES[name].symbol}");'
                for name in _in_order(used)
            ),
        ]


class _Table(_Opened):
    """A `heapyard_target` table in a library that the program opens."""

    def declarations(self, used: Used) -> list[str]:
        used.helpers.add("look_up")
        used.headers |= {"stdio.h", "stdint.h", "dlfcn.h"}
        members = [
            f"    {each.result}(*{name})({', '.join(['void *handle', *_types(each)])});"
            for name, each in SIGNATURES.items()
        ]
        wrappers = [_wrapper(name) for name in _in_order(used)]
        head = "\n".join([_TABLE_HEAD, *members, "};"])
        return [
            head,
            "static const struct heapyard_target *target;\nstatic void *handle;",
            *wrappers,
        ]

    def start(self, used: Used) -> list[str]:  # noqa: ARG002
        return [
            *_OPENING,
            'target = look_up(library, "heapyard_target");',
            "handle = target->open != NULL ? target->open() : NULL;",
        ]


_OPENING = [
    "if (count != 2) {",
    '    (void)fprintf(stderr, "usage: %s LIBRARY\\n", arguments[0]);',
    "    return 2;",
    "}",
    "void *const library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);",
    "if (library == NULL) {",
    '    (void)fprintf(stderr, "%s\\n", dlerror());',
    "    return 2;",
    "}",
]


def _types(each: Signature) -> list[str]:
    return [kind.rstrip() for kind, _ in each.parameters]


def _pointer(name: str) -> str:
    each = SIGNATURES[name]
    return f"static {each.result}(*volatile call_{name})({each.types or 'void'})"


def _wrapper(name: str) -> str:
    each = SIGNATURES[name]
    passed = ", ".join(["handle", *([each.names] if each.names else [])])
    returns = "" if each.result == "void " else "return "
    return (
        f"static {each.result}call_{name}({each.declared})\n{{\n"
        f"    {returns}target->{name}({passed});\n}}"
    )


def _in_order(used: Used) -> Iterable[str]:
    return [name for name in SIGNATURES if name in used.functions]


def loading_of(target: Target) -> Loading | None:
    """How a C program gets at this target; None: it can't (CPython's own allocators)."""
    if target.path is None:
        plain = {"libc": Loading, "musl": _Static}.get(target.typed)
        return None if plain is None else plain(target)
    if target.capabilities.table:
        return _Table(target)
    opens = target.prefix or any(character in str(target.path) for character in " :$")
    return _Opened(target) if opens else _Preloaded(target)
