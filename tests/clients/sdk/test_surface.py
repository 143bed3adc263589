"""No public method of the SDK is left out. Runs last; see conftest.py."""

import surface


def test_every_public_method_was_called():
    everything = surface.methods()
    assert len(everything) >= 45
    assert sorted(everything.keys() - surface.called) == []
