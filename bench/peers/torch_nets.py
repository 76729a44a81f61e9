"""The networks of bench/nets.py in PyTorch, with the names that actc gives their parameters, so that one file of weights serves both."""
import torch
from torch import nn
from torch.nn import functional as F


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class Vgg(nn.Module):
    def __init__(self):
        super().__init__()
        channels = (3, 64, 64, 128, 128, 256, 256)
        for i in range(1, 7):
            setattr(self, f"conv{i}", nn.Conv2d(channels[i - 1], channels[i], 3, padding=1))
        self.fc = nn.Linear(4096, 10)

    def forward(self, x):
        for i in (1, 3, 5):
            x = F.relu(getattr(self, f"conv{i}")(x))
            x = F.max_pool2d(F.relu(getattr(self, f"conv{i + 1}")(x)), 2)
        return self.fc(x.flatten(1))


class Basic(nn.Module):
    def __init__(self, inputs, channels):
        super().__init__()
        stride = channels // inputs
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.around = stride > 1
        if self.around:
            self.conv3, self.bn3 = nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x):
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(h + (self.bn3(self.conv3(x)) if self.around else x))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        inputs = 16
        for letter, channels in (("a", 16), ("b", 32), ("c", 64)):
            for i in (1, 2, 3):
                setattr(self, f"{letter}{i}", Basic(inputs, channels))
                inputs = channels
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for letter in "abc":
            for i in (1, 2, 3):
                x = getattr(self, f"{letter}{i}")(x)
        return self.fc(x.mean((2, 3)))


class Separable(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.depth = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
        self.point = nn.Conv2d(inputs, channels, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(self.bn2(self.point(F.relu(self.bn1(self.depth(x))))))


class SeparableNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        for i, sizes in enumerate(((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)), 1):
            setattr(self, f"s{i}", Separable(*sizes))
        self.fc = nn.Linear(256, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for i in range(1, 6):
            x = getattr(self, f"s{i}")(x)
        return self.fc(x.mean((2, 3)))


class CharLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.lstm, self.fc = nn.Embedding(65, 64), nn.LSTM(64, 256, batch_first=True), nn.Linear(256, 65)

    def forward(self, x):
        return self.fc(self.lstm(self.table(x))[0])


class Attention(nn.Module):
    """The parameters of nn.MultiheadAttention, and the faster way of computing it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.in_proj_weight, self.in_proj_bias = nn.Parameter(torch.empty(3 * width, width)), nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        batch, time, width = x.shape
        parts = F.linear(x, self.in_proj_weight, self.in_proj_bias).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).reshape(batch, time, width))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2, self.attend = nn.LayerNorm(128), nn.LayerNorm(128), Attention(128, 4)
        self.fc1, self.fc2 = nn.Linear(128, 512), nn.Linear(512, 128)

    def forward(self, x):
        x = x + self.attend(self.ln1(x))
        return x + self.fc2(F.gelu(self.fc1(self.ln2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.place = nn.Embedding(65, 128), nn.Embedding(64, 128)
        for i in range(1, 5):
            setattr(self, f"t{i}", Transformer())
        self.ln, self.fc = nn.LayerNorm(128), nn.Linear(128, 65)

    def forward(self, x):
        h = self.table(x) + self.place.weight
        for i in range(1, 5):
            h = getattr(self, f"t{i}")(h)
        return self.fc(self.ln(h))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.up1, self.up2 = nn.ConvTranspose2d(64, 256, 4, bias=False), nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False)
        self.up3, self.up4 = nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(256), nn.BatchNorm2d(128), nn.BatchNorm2d(64)

    def forward(self, z):
        h = F.relu(self.bn1(self.up1(z.view(-1, 64, 1, 1))))
        h = F.relu(self.bn3(self.up3(F.relu(self.bn2(self.up2(h))))))
        return torch.tanh(self.up4(h))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.Conv2d(64, 128, 4, 2, 1, bias=False)
        self.down3, self.down4 = nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.Conv2d(256, 1, 4, bias=False)
        self.bn2, self.bn3 = nn.BatchNorm2d(128), nn.BatchNorm2d(256)

    def forward(self, x):
        h = F.leaky_relu(self.down1(x), 0.2)
        h = F.leaky_relu(self.bn2(self.down2(h)), 0.2)
        return self.down4(F.leaky_relu(self.bn3(self.down3(h)), 0.2)).flatten(1)


class Dcgan(nn.Module):
    """The losses of both sides, as actc defines a step: at the weights before it. The images made are looked at once more than
    there, with their gradient stopped: so d's gradient does not go on into g."""

    def __init__(self):
        super().__init__()
        self.g, self.d = Generator(), Discriminator()

    def forward(self, noise, image):
        fake = self.g(noise)
        real, made = self.d(image), self.d(fake.detach())
        one, zero = torch.ones_like(real), torch.zeros_like(real)
        loss = F.binary_cross_entropy_with_logits
        frozen = {name: value.detach() for name, value in self.d.named_parameters()}
        passing = torch.func.functional_call(self.d, frozen, (fake,))
        return loss(real, one) + loss(made, zero) + loss(passing, one)


NETS = {"lenet": LeNet, "vgg": Vgg, "resnet20": ResNet20, "separable": SeparableNet, "lstm": CharLstm, "gpt": Gpt, "dcgan": Dcgan}


def build(given, arrays):
    """The network with its weights, images with their channels last in memory, and batches as tuples of arguments. The last of them are
    targets, but for the adversarial pair, whose module gives the loss itself."""
    name, (_, a, b) = given.spec["net"], given.spec["data"]
    net = NETS[name]()
    net.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()}, strict=False)
    missing = {key for key, _ in net.named_parameters()} - set(arrays)
    if missing:
        raise SystemExit(f"no weights for {', '.join(sorted(missing))}")
    if name in ("lstm", "gpt"):
        x, y = given.load_values(("i4", (a,)), ("i4", (a,)))
        return net, [(torch.from_numpy(x[i]).long(), torch.from_numpy(y[i]).long()) for i in range(given.batches)]
    net = net.to(memory_format=torch.channels_last)
    side, channels = (28, 1) if name == "lenet" else (32, 3)
    image = (side, side, channels)

    def channels_last(array):
        return torch.from_numpy(array).permute(0, 3, 1, 2)

    if name == "dcgan":
        noise, images = given.load_values(("f4", (a,)), ("f4", image))
        return net, [(torch.from_numpy(noise[i]), channels_last(images[i])) for i in range(given.batches)]
    x, y = given.load_values(("f4", image), ("i4", ()))
    return net, [(channels_last(x[i]), torch.from_numpy(y[i]).long()) for i in range(given.batches)]


def loss_of(net, name):
    """A function of a batch's arguments."""
    if name == "dcgan":
        return net
    if name in ("lstm", "gpt"):
        return lambda x, y: F.cross_entropy(net(x).flatten(0, 1), y.flatten())
    return lambda x, y: F.cross_entropy(net(x), y)
