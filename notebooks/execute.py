"""Executes notebooks in jupytext's percent form; called by `notebooks/run`."""

import argparse
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

HERE = Path(__file__).resolve().parent
CELL_SECONDS = 300


def main():
    parser = argparse.ArgumentParser(prog="notebooks/run", description="executes notebooks, each with a clean kernel")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK.py", help="default: all of them")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep what came out there, as .ipynb and .html")
    arguments = parser.parse_args()
    # Pictures are drawn, not only described: a field that does not exist then is an error like any other.
    os.environ["NOTEBOOK_PICTURES"] = "png"
    notebooks = arguments.notebooks or sorted(HERE.glob("[0-9]*.py"))
    for path in notebooks:
        start = time.monotonic()
        notebook = jupytext.read(path)
        fault = execute(notebook)
        # A notebook that failed is kept too: its last cell says where.
        if arguments.out:
            keep(notebook, arguments.out / path.stem)
        if fault:
            sys.exit(f"{path.name}: {fault}")
        pictures = sum(1 for cell in notebook.cells for output in cell.get("outputs", []) if is_picture(output))
        print(f"{path.name}: {len(notebook.cells)} cells, {pictures} pictures, {time.monotonic() - start:.1f} s")
    print(f"{len(notebooks)} passed, 0 failed")


def execute(notebook):
    """Runs every cell in the notebooks' own directory; what went wrong, or nothing."""
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(HERE)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR", "--InteractiveShell.colors=nocolor"],
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return str(error)
    return None


def is_picture(output):
    return "image/png" in output.get("data", {})


def keep(notebook, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path.with_suffix(".ipynb"))
    html, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
    path.with_suffix(".html").write_text(html)


if __name__ == "__main__":
    main()
