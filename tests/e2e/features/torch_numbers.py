#!/usr/bin/env python3
"""Writes torch.json: the weights that PyTorch ends with in every case of cases.py. Run by hand, with PyTorch: torch_numbers.py"""
import json
import pathlib

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_avg_fn

import cases

torch.manual_seed(1)


def train(case):
    what = cases.CASES[case]
    model = nn.Sequential()
    model.add_module("linear1", nn.Linear(cases.IN, cases.HIDDEN))
    if what.get("norm"):
        model.add_module("batch_norm1", nn.BatchNorm1d(cases.HIDDEN))
    model.add_module("tanh", nn.Tanh())
    model.add_module("linear2", nn.Linear(cases.HIDDEN, cases.OUT))
    state = {name: torch.tensor(values, dtype=torch.float32).reshape(cases.shapes(case)[name]) for name, values in cases.weights(case).items()}
    model.load_state_dict(state, strict=False)
    x, y = torch.tensor(cases.inputs()), torch.tensor(cases.labels(case))
    options = dict(what.get("torch", {}))
    if options.get("weight") == "balanced":
        counts = torch.bincount(y[y >= 0], minlength=cases.OUT)
        options["weight"] = (counts.sum() / (cases.OUT * counts)).tolist()
    if "weight" in options:
        options["weight"] = torch.tensor(options["weight"])
    criterion = nn.CrossEntropyLoss(**options)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    average = None
    if case.startswith("ema"):
        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8 if what.get("norm") else 0.9), use_buffers=True)
    if case == "last":
        average = AveragedModel(model, avg_fn=get_swa_avg_fn())
    for epoch in range(cases.EPOCHS):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        if case == "clip_norm":
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        if case == "clip_value":
            nn.utils.clip_grad_value_(model.parameters(), 0.02)
        optimizer.step()
        if case.startswith("ema") or (case == "last" and epoch >= cases.EPOCHS - 3):
            average.update_parameters(model)
    named = (average.module if average else model).state_dict()
    return {name: named[name].flatten().tolist() for name in cases.shapes(case)}


made = {"torch": torch.__version__.split("+")[0], "cases": {case: train(case) for case in cases.CASES}}
pathlib.Path(__file__).with_name("torch.json").write_text(json.dumps(made) + "\n")
