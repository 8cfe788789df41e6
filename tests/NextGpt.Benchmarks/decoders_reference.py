"""Times the reference implementation of a row of decoders.json.

Started by the benchmark: decoders_reference.py ROWS THREADS. Reads lines "ROW REPEATS" and answers with the milliseconds
of one call, the mean of the repeats, or "-" where the library for that row (diffusers, transformers) cannot be imported.
"""
import json
import sys
import time

import torch


def build(row):
    """A function that makes one call of the row's network."""
    config, shapes = row["config"], row["inputs"]
    given = {name: torch.randn(shape) for name, shape in shapes.items()}
    kind = row["network"]
    if kind in ("unet2d", "unet3d"):
        from diffusers import UNet2DConditionModel, UNet3DConditionModel

        network = (UNet2DConditionModel if kind == "unet2d" else UNet3DConditionModel)(**config).eval()
        time_step = torch.tensor([500])
        extra = {"class_labels": given["classes"]} if "classes" in given else {}
        return lambda: network(given["sample"], time_step, given.get("context"), return_dict=False, **extra)
    if kind == "vae":
        from diffusers import AutoencoderKL

        network = AutoencoderKL(**config).eval()
        return lambda: network.decode(given["latent"], return_dict=False)
    if kind == "hifigan":
        from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

        network = SpeechT5HifiGan(SpeechT5HifiGanConfig(**config)).eval()
        return lambda: network(given["spectrogram"])
    from transformers import CLIPTextConfig, CLIPTextModel

    network = CLIPTextModel(CLIPTextConfig(**config)).eval()
    tokens = torch.full(shapes["tokens"], 7, dtype=torch.int64)
    return lambda: network(tokens)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    torch.set_num_threads(int(sys.argv[2]))
    torch.set_grad_enabled(False)
    print(f"PyTorch {torch.__version__}", flush=True)
    current, call = None, None
    for line in sys.stdin:
        index, repeats = (int(part) for part in line.split())
        if index != current:
            call = None   # the last row's weights go before the next one's come
            try:
                call = build(rows[index])
                call()
            except ImportError as problem:
                print(problem, file=sys.stderr)
            current = index
        if call is None:
            print("-", flush=True)
            continue
        begin = time.perf_counter()
        for _ in range(repeats):
            call()
        print((time.perf_counter() - begin) * 1000 / repeats, flush=True)


main()
