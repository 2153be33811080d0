"""A small scenario with a bit of everything, and helpers that read variations of it."""

from __future__ import annotations

from simoffload.schema import diagnose_text

TEXT = """\
schema_version: 1
name: sample
seed: 7
horizon: {tasks: 100}
warm_up: 30 s
catalogue:
  hardware:
    box: {memory: 16 GB, bandwidth: 100 GB/s, compute: 10 TFLOP/s, busy_power: 40 W}
    rack: {memory: 192 GB, bandwidth: 3 TB/s, compute: 900 TFLOP/s}
  models:
    small:
      parameters: 3e9
      weights: 6 GB
      modalities: [text, image]
      kv_per_token: 36 KiB/tok
    large: {parameters: 72e9, weights: 40 GB, modalities: [text, image, audio, sensor], kv_per_token: 320 KiB/tok}
  laws:
    - {hardware: rack, model: large, prefill: 9000 tok/s, decode: 12 ms/tok}
  prices:
    list: {input: 0.5 USD/Mtok, output: 1.5 USD/Mtok}
links:
  radio: {channel: 40 Mbit/s, delay: 10 ms}
sites:
  - id: hall
edges:
  - id: press
    hardware: box
    models: [small]
    site: hall
    uplink: radio
    downlink: radio
  - id: paint
    hardware: box
    models: [small]
    site: hall
    uplink:
      channel: {kind: gilbert-elliott, good: 40 Mbit/s, bad: 1 Mbit/s, mean_good: 10 s, mean_bad: 1 s}
      delay: 5 ms
clouds:
  - id: cloud
    hardware: rack
    models: [large]
    price: list
    delay: 20 ms
    server: {kind: batching, max_batch: 16}
workloads:
  - id: faults
    homes: [press, paint]
    arrivals: {kind: poisson, rate: 0.5 /s}
    modalities:
      text: {tokens: 120 tok}
      image: {share: 30 %, tokens: {kind: lognormal, mean: 600 tok, cv: 0.5}, payload: 2 MB}
    stages:
      generate: {prompt: 40 tok, output: {kind: uniform, low: 50 tok, high: 200 tok}}
    deadline: 10 s
"""


def changed(*changes: tuple[str, str]) -> str:
    """The sample with pieces of its text, each there once, replaced."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def headlines(text: str, *overrides: str) -> list[str]:
    """What is wrong with a text, a line each, without carets."""
    return [problem.headline for problem in diagnose_text(text, "s.yaml", overrides).problems]
