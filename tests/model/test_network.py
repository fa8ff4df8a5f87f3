"""The network's shape; on the "meta" device, which computes shapes but no numbers, if that is enough."""

import pytest
import torch
from torch import nn

from fer.model.network import architectures, build_network, first_convolution, last_layer


@pytest.mark.parametrize("architecture", ["resnet18", "resnet34", "resnet50"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size_px", [48, 112])
def test_a_batch_of_faces_becomes_logits(architecture: str, channels: int, size_px: int) -> None:
    with torch.device("meta"):
        network = build_network(architecture, classes=5, channels=channels, size_px=size_px).eval()
        assert network(torch.empty(2, channels, size_px, size_px)).shape == (2, 5)


@pytest.mark.parametrize(
    ("size_px", "kernel", "stride"), [(48, (3, 3), (1, 1)), (111, (3, 3), (1, 1)), (112, (7, 7), (2, 2))]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_get_a_small_stem(
    size_px: int, kernel: tuple[int, int], stride: tuple[int, int], channels: int
) -> None:
    with torch.device("meta"):
        network = build_network("resnet18", classes=8, channels=channels, size_px=size_px)
    assert isinstance(network.conv1, nn.Conv2d)
    assert (network.conv1.in_channels, network.conv1.out_channels) == (channels, 64)
    assert (network.conv1.kernel_size, network.conv1.stride) == (kernel, stride)
    assert isinstance(network.maxpool, nn.MaxPool2d)


def test_it_takes_other_sizes_than_the_one_it_is_made_for() -> None:
    with torch.device("meta"):
        network = build_network("resnet18", classes=8, channels=1, size_px=48).eval()
        assert network(torch.empty(1, 1, 32, 32)).shape == (1, 8)


def test_the_dropout_of_the_last_features_is_as_configured() -> None:
    with torch.device("meta"):
        network = build_network("resnet18", classes=8, channels=1, size_px=48, dropout=0.3)
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.3]


def test_the_same_seed_gives_the_same_network() -> None:
    outputs = []
    for seed in (1, 1, 2):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = build_network("resnet18", classes=3, channels=1, size_px=48).eval()
        with torch.inference_mode():
            outputs.append(network(torch.ones(1, 1, 24, 24)))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"mobilenet_v3_.*'mobilenet_v3'"):
        build_network("mobilenet_v3", classes=8, channels=1, size_px=48)


FAMILIES = {
    "resnext50_32x4d": (3, 1),
    "wide_resnet50_2": (3, 1),
    "vgg11_bn": (3, 1),
    "mobilenet_v3_small": (3, 1),
    "efficientnet_b0": (3, 1),
    "convnext_tiny": (2, 2),
    "densenet121": (3, 1),
    "googlenet": (3, 1),
    "inception_v3": (3, 1),
    "mnasnet0_5": (3, 1),
    "shufflenet_v2_x0_5": (3, 1),
    "squeezenet1_1": (3, 1),
    "swin_t": (2, 2),
    "vit_b_16": (16, 16),
    "alexnet": (11, 2),
}
"""Family → (kernel, stride) of its first convolution for small pictures."""


@pytest.mark.slow
@pytest.mark.parametrize("architecture", FAMILIES)
def test_every_family_is_fitted_to_small_gray_pictures(architecture: str) -> None:
    with torch.device("meta"):
        network = build_network(architecture, classes=5, channels=1, size_px=48, dropout=0.3)
        assert network.train()(torch.empty(2, 1, 48, 48)).shape == (2, 5)
    first, last = first_convolution(network).module, last_layer(network)
    assert (first.in_channels, first.kernel_size[0], first.stride[0]) == (1, *FAMILIES[architecture])
    assert isinstance(network.get_submodule(last.name), (nn.Linear, nn.Conv2d))
    assert last.module.weight.shape[0] == 5
    shares = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout) and layer.p > 0]
    assert shares and set(shares) == {0.3}


def test_only_classifiers_of_pictures_are_known() -> None:
    assert {"resnet18", "vgg19_bn", "mobilenet_v3_large", "convnext_tiny"} <= set(architectures())
    assert not {"fasterrcnn_resnet50_fpn", "deeplabv3_resnet50", "r3d_18", "raft_small"} & set(architectures())


def test_large_pictures_in_color_keep_torchvisions_first_layer() -> None:
    with torch.device("meta"):
        network = build_network("mobilenet_v3_small", classes=5, channels=3, size_px=224)
    assert first_convolution(network).module.stride == (2, 2)


@pytest.mark.parametrize(("architecture", "size_px"), [("vit_b_16", 50), ("maxvit_t", 48)])
def test_a_size_that_patches_do_not_fill_is_refused(architecture: str, size_px: int) -> None:
    with pytest.raises(ValueError, match=f"{architecture}.*{size_px}"):
        build_network(architecture, classes=8, channels=1, size_px=size_px)
