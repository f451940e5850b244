"""What every module stands on: pinned versions, the same packages for conda, quick imports, clean files."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Conda's slimmer builds of the same libraries: without Qt, and without what the package does not import.
CONDA_NAMES = {"dask": "dask-core", "matplotlib": "matplotlib-base"}
HOST = re.compile(r"https?://((?:[\w-]+\.)+[a-z]{2,})")
KEY = re.compile(
    r"AKIA[0-9A-Z]{16}|(?i:secret_?(?:access_?)?key|password|token)['\"]?\s*[:=]\s*['\"][^'\"]{8,}"
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def dependencies() -> dict[str, Requirement]:
    requirements = map(Requirement, PROJECT["project"]["dependencies"])
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def every_requirement() -> list[Requirement]:
    groups = [entry for group in PROJECT["dependency-groups"].values() for entry in group]
    tools = [Requirement(entry) for entry in groups if isinstance(entry, str)]
    return [*dependencies().values(), *map(Requirement, PROJECT["build-system"]["requires"]), *tools]


def pins() -> dict[str, Version]:
    lines = (line.split(" ;")[0].split("==") for line in read("constraints.txt").splitlines())
    return {name: Version(version) for name, version in lines}


def files() -> list[Path]:
    """Return what is or would be in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def mentions(pattern: str) -> list[str]:
    """Return where the pattern stands in a text file of the repository."""
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        if b"\0" not in (content := path.read_bytes())
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1)
        if found.search(line)
    ]


# Versions


def test_constraints_are_names_with_versions_and_nothing_else() -> None:
    lines = read("constraints.txt").splitlines()
    entry = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][a-z0-9.]*( ; [\w.' =!()-]+)?")
    assert [line for line in lines if not entry.fullmatch(line)] == []
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])


@pytest.mark.parametrize(
    ("system", "machine"),
    [("linux", "x86_64"), ("darwin", "x86_64"), ("darwin", "arm64"), ("win32", "AMD64")],
)
def test_each_system_has_one_version_of_a_package(system: str, machine: str) -> None:
    pinned = map(Requirement, read("constraints.txt").splitlines())
    here = {"sys_platform": system, "platform_machine": machine}
    names = [one.name for one in pinned if one.marker is None or one.marker.evaluate(here)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("requirement", every_requirement(), ids=str)
def test_a_requirement_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    assert name in pins(), f"{name} is not in constraints.txt: run `make lock`"
    assert pins()[name] in requirement.specifier


@pytest.mark.parametrize("name", sorted(dependencies()))
def test_contributing_says_why_we_depend_on_it(name: str) -> None:
    rows = [row for row in read("CONTRIBUTING.md").splitlines() if row.startswith("|")]
    assert [row for row in rows if f"`{name}`" in row.split("|")[1]], f"no row for {name}"


def conda() -> tuple[dict[str, str], list[str]]:
    """Return the packages of environment.yml as {name: bounds}, and its channels."""
    environment = yaml.safe_load(read("environment.yml"))
    entries = environment["dependencies"]
    with_pip = [entry for entry in entries if isinstance(entry, str)]
    with_pip += [entry for extra in entries if isinstance(extra, dict) for entry in extra["pip"]]
    parts = (re.fullmatch(r"([\w-]+)(?:\[\w+\])?(.*)", entry) for entry in with_pip)
    return {part[1]: part[2] for part in parts if part}, environment["channels"]


def test_conda_gets_the_same_packages_and_bounds() -> None:
    packages, _ = conda()
    wanted = {CONDA_NAMES.get(name, name): str(need.specifier) for name, need in dependencies().items()}
    assert {name: bounds for name, bounds in packages.items() if name not in ("python", "pip")} == wanted


def test_conda_gets_a_python_that_is_tested() -> None:
    packages, channels = conda()
    tested = {
        line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if ":: Python :: 3." in line
    }
    assert packages["python"].removeprefix("=") in tested
    assert channels == ["conda-forge", "nodefaults"]


def test_binder_gets_the_same_environment() -> None:
    assert read("binder/environment.yml") == read("environment.yml")


def test_the_workflow_runs_every_python_that_is_promised() -> None:
    jobs = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]
    promised = [
        line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if ":: Python :: 3." in line
    ]
    assert all(job["strategy"]["matrix"]["python"] == promised for job in jobs.values())
    assert PROJECT["project"]["requires-python"] == f">={promised[0]}"


# The package


def loaded_by(statements: str) -> tuple[set[str], float]:
    """Return the modules a fresh interpreter holds after the statements, and the CPU seconds they took."""
    probe = (
        "import json, sys, time\nstart = time.process_time()\n"
        f"{statements}\n"
        "print(json.dumps([sorted(sys.modules), time.process_time() - start]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert answer.returncode == 0, answer.stderr
    modules, seconds = json.loads(answer.stdout)
    return set(modules), seconds


HEAVY = {"dask", "distributed", "matplotlib", "moto", "boto3", "anywidget", "IPython"}


def test_import_takes_less_than_a_second_of_cpu_and_loads_nothing_heavy() -> None:
    modules, seconds = loaded_by("import ngff_practical")
    assert modules & HEAVY == set()
    assert seconds < 1


def test_using_every_public_name_loads_nothing_heavy_either() -> None:
    modules, _ = loaded_by("from ngff_practical import *")
    assert modules & HEAVY == set()


def imported_by(path: Path) -> set[str]:
    """Return the first names of all modules that a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = [ast.Pass()]
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module
    }
    return {name.partition(".")[0] for name in names}


def test_every_library_the_package_imports_is_a_dependency() -> None:
    modules = {name for path in (ROOT / "ngff_practical").rglob("*.py") for name in imported_by(path)}
    foreign = modules - sys.stdlib_module_names - {"ngff_practical"}
    makers = packages_distributions()
    undeclared = {
        name
        for name in foreign
        if not {canonicalize_name(maker) for maker in makers.get(name, [])} & set(dependencies())
    }
    assert undeclared == set()


def test_imports_go_downwards_only() -> None:
    lint = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    report = subprocess.run(
        [sys.executable, "-c", lint], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert report.returncode == 0, report.stdout


def test_the_catalogue_alone_knows_where_data_lies_and_the_links_where_viewers_are() -> None:
    known = [ROOT / "ngff_practical" / name for name in ("samples/catalogue.py", "sharing/links.py")]
    others = [path for path in files() if path.suffix in (".py", ".js") and path not in known]
    package = [path for path in others if path.is_relative_to(ROOT / "ngff_practical")]
    found = {
        path.name: hosts for path in package if (hosts := HOST.findall(path.read_text(encoding="utf-8")))
    }
    assert found == {}


# Files


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    assert mentions(f"{re.escape(str(ROOT))}\\b|{re.escape(str(Path.home()))}/") == []


def test_no_file_names_a_package_registry() -> None:
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))
    ]
    settings = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    hosts += re.findall(r"https?://(?:[^@/\s']*@)?([\w.-]+)", settings)
    assert mentions("|".join(map(re.escape, hosts))) == []


def test_no_file_holds_a_key() -> None:
    assert mentions(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY") == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LICENSE", "BSD 3-Clause License"),
        ("LICENSE-content", "Creative Commons Attribution 4.0 International"),
    ],
)
def test_a_licence_lies_where_the_project_says(name: str, words: str) -> None:
    assert name in PROJECT["project"]["license-files"]
    assert words in read(name)


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))


def test_the_two_commands_of_the_readme_exist() -> None:
    told = set(re.findall(r"\bmake ([a-z]+)", read("README.md")))
    assert {"lab", "test"} <= told
    assert told <= targets() | {"it", "sure"}


def test_ci_runs_what_everybody_runs() -> None:
    assert read(".ci/run").splitlines()[-1] == "exec make test"


# Notebooks, whatever they teach; tests/test_notebooks.py runs them


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_a_notebook_is_valid_and_for_any_python_3(notebook: Path) -> None:
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    assert content.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in content.cells}) == len(content.cells)


def test_a_notebook_is_committed_without_results(notebook: Path) -> None:
    assert [
        cell.source for cell in code_cells(notebook) if cell.outputs or cell.execution_count is not None
    ] == []


def test_a_notebook_has_short_cells(notebook: Path) -> None:
    assert [cell.source for cell in code_cells(notebook) if len(cell.source.splitlines()) > 12] == []


def test_a_notebook_defines_nothing(notebook: Path) -> None:
    def defines(source: str) -> bool:
        python = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
        nodes = ast.walk(ast.parse(python))
        return any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) for node in nodes)

    # A cell where writing one is the lesson carries the tag "lesson".
    lessons = [cell.source for cell in code_cells(notebook) if "lesson" not in cell.metadata.get("tags", [])]
    assert [source for source in lessons if defines(source)] == []


def test_a_notebook_asks_the_catalogue_for_hosts_and_the_environment_for_keys(notebook: Path) -> None:
    hosts = HOST.findall(read("ngff_practical/samples/catalogue.py"))
    text = "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells)
    assert [host for host in hosts if host in text] == []
    code = "\n".join(cell.source for cell in code_cells(notebook))
    assert HOST.findall(code) == []
    assert KEY.findall(code) == []
