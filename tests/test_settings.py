"""Settings: defaults, checks and changed copies."""

import numpy as np
import pytest

from vkforge.errors import InputError
from vkforge.settings import TONEMAPS, Settings


def test_defaults() -> None:
    settings = Settings()
    assert (settings.samples, settings.sun_rays, settings.sky_rays, settings.seed) == (16, 1, 8, 0)
    assert settings.exposure == 0.0
    assert settings.tonemap in TONEMAPS


def test_replace_changes_only_what_is_named() -> None:
    settings = Settings(seed=7).replace(samples=np.int64(32), exposure=1)
    assert settings == Settings(samples=32, seed=7, exposure=1.0)
    assert type(settings.samples) is int
    assert type(settings.exposure) is float


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"samples": 0}, "samples is 0; wanted a whole number from 1"),
        ({"samples": 2.5}, "samples is 2.5"),
        ({"samples": True}, "samples is True"),
        ({"samples": 10**40}, "samples is 1000"),
        ({"sky_rays": -1}, "sky_rays is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"exposure": float("nan")}, "exposure .* is nan"),
        ({"exposure": "bright"}, "exposure .* is 'bright'"),
        ({"tonemap": "reinhart"}, "did you mean 'reinhard'"),
        ({"tonemap": None}, "no tone mapping called None"),
        ({"denoise": "atrus"}, "no denoiser called 'atrus'; did you mean 'atrous'"),
        ({"denoise": ["oidn"]}, "no denoiser called"),
        ({"sample": 4}, "no setting called 'sample'; did you mean 'samples'"),
    ],
)
def test_bad_values_say_what_is_wanted(overrides: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Settings().replace(**overrides)
