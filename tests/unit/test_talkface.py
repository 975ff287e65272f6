import torch

from tests.toy_corpus import make_network, noise_for


def test_talkface_is_small():
    network = make_network("talkface")
    assert sum(value.numel() for value in network.parameters()) < 500_000


def test_talkface_looks_ahead_as_far_as_it_is_told():
    reach = {ahead: make_network("talkface", lookahead_frames=ahead).after for ahead in (0, 3)}
    assert reach[3] - reach[0] == 3 * 640


def test_talkface_hears_as_far_back_as_the_beginning():
    network = make_network("talkface")
    audio = noise_for(network, 30, stretches=1)
    other = audio.clone()
    other[:, : network.hop] = 0
    assert not torch.equal(network(audio)[0][:, 8], network(other)[0][:, 8])


def test_talkface_learns_a_resting_face_from_silence():
    network = make_network("talkface", silence_share=1.0)
    changed = torch.tensor([[True], [False]])
    audio, face = network.augment_sound(noise_for(network, 4), torch.zeros(2, 4, 68, 2), changed)
    torch.testing.assert_close(face, network.rest.expand(2, 4, 68, 2))
    assert 0 < audio[0].abs().max() < 0.2
    assert (audio[1] == 0).all()


def test_talkface_changes_the_chosen_stretches_alone():
    network = make_network("talkface", silence_share=0.0, gain_db=(-10, -5), noise_db=(80, 80), mask=(1, 8, 6))
    audio = noise_for(network, 4, stretches=200)
    changed = torch.arange(200)[:, None] % 2 == 0
    torch.manual_seed(0)
    louder, _ = network.augment_sound(audio, torch.zeros(200, 4, 68, 2), changed)
    assert torch.equal(louder[1::2], audio[1::2])
    gain = 20 * torch.log10(louder[::2].std(dim=1) / audio[::2].std(dim=1))
    assert -10.1 < gain.min() < -9.5
    assert -5.5 < gain.max() < -4.9
    tract = network.draw_tract(changed)
    assert tract[1::2].unique().tolist() == [4]
    assert tract[::2].unique().tolist() == list(range(9))
    spectrum = torch.arange(32.0).expand(200, 30, 32).clone()
    hidden = network.hide(spectrum, changed) == network.CENTRE
    assert not hidden[1::2].any()
    assert hidden.all(dim=1).sum(dim=1).max() == 8
    assert hidden.all(dim=2).sum(dim=1).max() == 6
