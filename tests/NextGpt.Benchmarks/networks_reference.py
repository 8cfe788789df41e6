"""Times the reference implementation of a row of networks.json.

Started by the benchmark: networks_reference.py ROWS THREADS. Reads lines "ROW REPEATS" and answers with the milliseconds
of one call, the mean of the repeats, or "-" where the library for that row (diffusers, transformers, imagebind) cannot be imported.
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
    if kind.startswith("imagebind"):
        return imagebind(kind, config, given["media"])
    if kind == "clap_text":
        from transformers import ClapTextConfig, ClapTextModelWithProjection

        network = ClapTextModelWithProjection(ClapTextConfig(**config)).eval()
        tokens = torch.full(shapes["tokens"], 7, dtype=torch.int64)
        mask = torch.ones_like(tokens)
        return lambda: network(tokens, attention_mask=mask)
    from transformers import CLIPTextConfig, CLIPTextModel

    network = CLIPTextModel(CLIPTextConfig(**config)).eval()
    tokens = torch.full(shapes["tokens"], 7, dtype=torch.int64)
    return lambda: network(tokens)


def imagebind(kind, config, media):
    """ImageBind of its authors with the row's tower; the towers that the row does not measure are as small as they can be."""
    from imagebind.models import imagebind_model, multimodal_preprocessors

    side = config.get("image_size", 224)
    if side != 224:   # the published class knows one size of picture only
        whole = multimodal_preprocessors.RGBDTPreprocessor
        imagebind_model.RGBDTPreprocessor = lambda img_size, **rest: whole(img_size=[*img_size[:-2], side, side], **rest)
    numbers = {key: value for key, value in config.items() if key not in ("model_type", "image_size")}
    rest = {}
    for name in ("vision", "text", "audio", "depth", "thermal", "imu"):
        if f"{name}_embed_dim" not in numbers:
            rest |= {f"{name}_embed_dim": 16, f"{name}_num_blocks": 1, f"{name}_num_heads": 1}
    network = imagebind_model.ImageBindModel(**numbers, **rest).eval()
    if side != 224:
        imagebind_model.RGBDTPreprocessor = whole
    given = {"audio" if kind == "imagebind_audio" else "vision": media}
    return lambda: network(given)


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
