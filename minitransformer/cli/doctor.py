"""minitransformer doctor [MODEL]: what this machine and this installation have, and what a model can be used for."""

import os
import platform
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import ThreadpoolController

from minitransformer import __version__
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import load_gpt, load_pretraining_model
from minitransformer.cli._translators import load_translator
from minitransformer.errors import UserError
from minitransformer.formatting import format_table
from minitransformer.inference.prediction import load_predictor
from minitransformer.interop.hub import model_folder
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.parallel import available_cores

LIBRARIES = ("numpy", "scipy", "tokenizers", "safetensors", "threadpoolctl", "click", "huggingface_hub", "tqdm")
SETTINGS_OF_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
MATRIX_SIZE, SECONDS = 1024, 1.0  # of the product that is timed

USES: dict[str, Callable[[str], Any]] = {
    "embed, similarity, train-sbert": SentenceEncoder.from_pretrained,
    "fill-mask": lambda model: load_pretraining_model(model, "mlm_head"),
    "next-sentence": lambda model: load_pretraining_model(model, "nsp_head", "bert.pooler"),
    "predict": load_predictor,
    "generate, complete": load_gpt,
    "translate": load_translator,
}


@click.command()
@click.argument("model", type=click.Path(), required=False)
@json_option
@click.pass_context
def command(context: click.Context, model: str | None, as_json: bool) -> None:
    """Print what is installed here, how fast it multiplies, and what MODEL can do.

    The versions of the libraries; the BLAS library that multiplies matrices, its threads, and how many of them it
    multiplies in a second; cores, memory and the folder of downloaded models. With a MODEL (a folder, or the name of a
    model on the Hugging Face hub), each use of it, and if it can't be used so, why not. The exit status is then 1 if
    there is no use at all.

    \b
    Example:
      minitransformer doctor my-bert
    """
    facts = {**installation(), **machine(), **speed()}
    uses = uses_of(model) if model else {}
    if as_json:
        print_json({**facts, "model": model, "uses": {use: reason or "yes" for use, reason in uses.items()}})
    else:
        click.echo(format_table([["", ""], *facts.items()]).lstrip("\n"))
        if model:
            rows = [[f"{use}:", "yes" if reason is None else f"no, {reason}"] for use, reason in uses.items()]
            click.echo(f"\n{model}\n{format_table([['', ''], *rows]).strip()}")
    if uses and None not in uses.values():
        context.exit(1)


def installation() -> dict[str, str]:
    """The versions of this package, of Python and of the libraries."""
    return {
        "minitransformer": f"{__version__}, in {Path(__file__).parents[1]}",
        "Python": f"{platform.python_version()} on {platform.system()} ({platform.machine()})",
        **{library: version(library) for library in LIBRARIES},
    }


def machine() -> dict[str, str]:
    """BLAS, cores, memory, and where models are downloaded to."""
    from huggingface_hub.constants import HF_HUB_CACHE  # slow to import

    libraries = ThreadpoolController().select(user_api="blas").info()
    settings = [f"{name}={os.environ[name]}" for name in SETTINGS_OF_BLAS if name in os.environ]
    kernels = [
        f"{library['internal_api']} {library['version']} ({library.get('architecture', 'kernel unknown')}), "
        f"{library['num_threads']} thread{'s' if library['num_threads'] > 1 else ''}"
        for library in libraries
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {
        "BLAS": "; ".join([*kernels, *settings]) or "not known to threadpoolctl",
        "cores": f"{available_cores()} of {os.cpu_count()}",
        "memory": f"{memory / 2**30:.1f} GiB" if memory else "unknown",
        "downloaded models": f"{HF_HUB_CACHE}{'' if Path(HF_HUB_CACHE).is_dir() else ' (none yet)'}",
    }


def speed() -> dict[str, str]:
    """How fast large matrices of float32 are multiplied, in about a second."""
    a = np.random.default_rng(0).random((MATRIX_SIZE, MATRIX_SIZE), np.float32)
    a @ a  # threads start, and the processor wakes up
    products, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < SECONDS:
        a @ a
        products += 1
    return {"products of matrices": f"{2 * MATRIX_SIZE**3 * products / seconds / 1e9:.0f} GFLOP/s in float32"}


def uses_of(model: str) -> dict[str, str | None]:
    """For each use of a model None, or why it can't be used so. Raises UserError if there is no such model."""
    folder = os.fspath(model_folder(model))
    return {use: _why_not(load, folder) for use, load in USES.items()}


def _why_not(load: Callable[[str], Any], folder: str) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            load(folder)
        except UserError as error:
            return str(error)
    return None
