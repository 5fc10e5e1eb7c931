"""What a piece of work owes to code: the modules that it imports, directly or not, and one hash of them."""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

_BESIDE = "*.j2"
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # imports are statements: no need to walk expressions


def imported_modules(*names: str) -> dict[str, Path]:
    """The files of all modules of the same packages that some modules import, directly or not, themselves among them.

    Imports inside functions count too. The `__init__.py` of a package counts only where it is named.

    Args:
        names: Dotted names of modules or packages; of a package, all modules in it.
    """
    roots = frozenset(name.partition(".")[0] for name in names) | {"recsys"}
    waiting = [module for name in names for module in _modules_of(name)]
    found: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        path = _find(name)
        if path is None or name in found:
            continue
        found[name] = path
        waiting += [other for other in _imports(path, path.stat().st_mtime_ns) if other.partition(".")[0] in roots]
    return dict(sorted(found.items()))


def hash_code(*names: str) -> str:
    """One SHA-256 of the files of `imported_modules`, and of the templates beside them."""
    digest = hashlib.sha256()
    modules = imported_modules(*names)
    templates = {path for module in modules.values() for path in module.parent.glob(_BESIDE)}
    for name, path in [*modules.items(), *((path.name, path) for path in sorted(templates))]:
        digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def _modules_of(name: str) -> list[str]:
    folder = _location(name)
    if not folder.is_dir():
        return [name]
    files = [path.relative_to(folder).with_suffix("").parts for path in folder.rglob("*.py") if path.stem != "__init__"]
    return [".".join((name, *parts)) for parts in files]


def _find(name: str) -> Path | None:
    path = _location(name).with_suffix(".py")
    return path if path.is_file() else None


def _root(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} must be an installed package, got none of that name")
    return Path(spec.submodule_search_locations[0])


def _location(name: str) -> Path:
    package, *parts = name.split(".")
    return _root(package).joinpath(*parts)


@cache
def _imports(path: Path, changed: int) -> tuple[str, ...]:
    """What a file imports, read again if it changed."""
    found, waiting = list[str](), list[ast.AST](ast.parse(path.read_bytes()).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.module is not None and not node.level:
                found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            waiting += [each for block in _BLOCKS for each in getattr(node, block, ())]
    return tuple(found)
