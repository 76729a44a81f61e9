"""What PyTorch's layers compute, as files that a test holds against actc: see README.md.

A family is one script beside this file:

    from fixtures import Family
    with Family("norm") as family:
        family.case("rows", "layer_norm", torch.nn.LayerNorm(7), torch.randn(3, 7))

Everything is computed in double precision from values that a float holds, so that the expected numbers are right to the last bit
a float has. The file goes to tests/fixtures/torch_layers/NAME.safetensors.
"""
import json
import os
import re
import struct

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "fixtures", "torch_layers")
LIMIT = 300 * 1024


def as_float(value):
    """Double, but only values that a float holds."""
    return value.detach().float().double()


class Family:
    def __init__(self, name, seed=1):
        self.name, self.arrays, self.notes = name, {}, {}
        torch.manual_seed(seed)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.write()

    def case(self, name, call, module, inputs, *, prefix=None, rename=None, tokens=None, channels_first=False, outputs=("y",),
             definitions="", interpreter_only=False, randomize=True):
        """One layer, or a small network.

        call      how actc writes it: "linear(3)" is applied to the input x; with several inputs an expression over their names in
                  braces, "attention({x}, 2, context = {c})"
        module    the same in PyTorch: a Module, or a function for what has no parameters. It is called with the inputs in order
        inputs    a tensor with the batch first, or {name: tensor}. Whole numbers are tokens; `tokens` gives the classes, {"x": 65}
        prefix    what stands before PyTorch's parameter names in actc: "linear1." unless it is given; "" for a network whose
                  modules are called as actc calls its layers
        rename    {PyTorch's parameter: actc's}, where they differ
        channels_first   the tensors have channels at axis 1, as PyTorch's images and signals have; actc's stand last
        outputs   names of what comes out, when there are several
        definitions      text of the file before the model: blocks, functions
        interpreter_only for what cannot become machine code yet
        randomize  parameters get random values, those with one axis around 1, so that none is neutral
        """
        inputs = inputs if isinstance(inputs, dict) else {"x": inputs}
        inputs = {key: as_float(value) if value.is_floating_point() else value for key, value in inputs.items()}
        module_is = isinstance(module, torch.nn.Module)
        state = {}
        if module_is:
            module = module.double()
            with torch.no_grad():
                for parameter in module.parameters():
                    if randomize and parameter.dim() < 2:
                        parameter.uniform_(0.5, 1.5)
                    parameter.copy_(as_float(parameter))
                for key, buffer in module.named_buffers():
                    if buffer.is_floating_point():
                        buffer.copy_(as_float(buffer.uniform_(0.5, 1.5) if randomize else buffer))
            state = {key: value.detach().clone() for key, value in module.state_dict().items()}
        word = re.search(r"\b(\w+)\s*(\(|$)", call)
        prefix = f"{word.group(1)}1." if prefix is None and word else prefix or ""
        named = lambda key: (rename or {}).get(key, prefix + key)

        def inside(value):
            return value.movedim(1, -1).contiguous() if channels_first and value.dim() > 2 else value.contiguous()

        def run():
            result = module(*inputs.values())
            return [inside(part) for part in (result if isinstance(result, tuple) else (result,))]

        put = lambda what, key, value: self.put(f"{name}/{what}.{key}", value)
        for key, value in inputs.items():
            put("input", key, inside(value))
        for key, value in state.items():
            put("param", named(key), value)
        if module_is:
            module.eval()
        infer = run()
        if module_is:
            module.train()
        real = {key: value.requires_grad_() for key, value in inputs.items() if value.is_floating_point()}
        trained = run()
        weights = [as_float(torch.randn_like(part)) for part in trained]
        sum((part * weight).sum() for part, weight in zip(trained, weights)).backward()
        for key, part, weight, other in zip(outputs, trained, weights, infer):
            put("weight", key, weight)
            put("output", key, part)
            if not torch.equal(part, other):
                put("infer", key, other)
        for key, value in real.items():
            put("grad", key, inside(value.grad))
        if module_is:
            for key, value in module.named_parameters():
                put("grad", named(key), value.grad if value.grad is not None else torch.zeros_like(value))
            for key, value in module.named_buffers():
                if not torch.equal(value, state[key]):
                    put("after", named(key), value)
        self.notes[name] = self.text(name, call, inputs, real, tokens or {}, list(zip(outputs, trained)), inside, definitions,
                                     interpreter_only)

    def text(self, name, call, inputs, real, tokens, outputs, inside, definitions, interpreter_only):
        """The program: every real input and every output has a parameter of zeros beside it, which only the sample whose `turn` it
        is sees, so that its gradient is that of the input, or the output itself, for this sample."""
        shape = lambda value: "[" + ", ".join(str(size) for size in value.shape[1:]) + "]"
        lines = ["# interpreter only"] if interpreter_only else []
        lines += [definitions] if definitions else []
        lines += ["optimizer watch(w, g) {", "    state seen = 0", "    w = w + 0 * seen", "    seen = g", "}", "model case {"]
        uses = {}
        for key, value in inputs.items():
            kind = "f32" if key in real else f"token({tokens[key]})"
            lines.append(f"    input {key} : {kind}{shape(inside(value))}")
            uses[key] = f"({key} + probe_{key} * turn)" if key in real else key
        lines.append("    input turn : f32[1]")
        for key, value in outputs:
            lines.append(f"    input weight_{key} : f32{shape(value)}")
        for key, value in [(key, inside(value)) for key, value in real.items()] + outputs:
            lines.append(f"    share probe_{key} = parameter({shape(value)}, zeros)")
        body = call
        for key, use in uses.items():
            body = body.replace("{" + key + "}", use)
        if body == call:
            body = f"{uses[next(iter(uses))]} |> {call}"
        lines.append(f"    {', '.join(key for key, _ in outputs)} = {body}")
        for key, _ in outputs:
            lines.append(f"    output result_{key} = {key}")
            lines.append(f"    weighted_{key} = {key} * (weight_{key} + probe_{key} * turn)")
            lines.append(f"    loss sum(weighted_{key})")
        rows = next(iter(inputs.values())).shape[0]
        return "\n".join(lines + ["}", f"train case {{ batch {rows}; epochs 1; optimizer watch() }}", ""])

    def put(self, key, value):
        self.arrays[key] = value.detach().to(torch.float32 if value.is_floating_point() else torch.int32).contiguous().numpy()

    def write(self):
        """safetensors: the length of a JSON header, the header, the bytes."""
        header, data = {"__metadata__": {"torch": torch.__version__, **self.notes}}, b""
        for key, value in self.arrays.items():
            raw = value.tobytes()
            header[key] = {"dtype": "F32" if value.dtype == "float32" else "I32", "shape": list(value.shape),
                           "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        path = os.path.join(FOLDER, self.name + ".safetensors")
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + data)
        size = os.path.getsize(path)
        print(f"{self.name}: {len(self.notes)} cases, {size} bytes")
        assert size <= LIMIT, "keep a family small"
