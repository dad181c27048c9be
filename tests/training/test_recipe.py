"""Defaults that follow the corpus."""

import pytest

from regard.config import configure, preset
from regard.training.recipe import Machine, recommend


def values(pairs, device="cpu", machine=(), **given):
    """What is recommended, by name."""
    return {name: choice.value for name, choice in recommend(pairs, Machine(device, *machine), given).items()}


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
@pytest.mark.parametrize("pairs", [10, 2_999, 29_000, 400_000, 5_000_000, 50_000_000])
def test_every_recommendation_is_a_configuration_and_has_a_reason(pairs, device):
    configure(values(pairs, device))
    assert all(choice.reason for choice in recommend(pairs, Machine(device), {}).values())


@pytest.mark.parametrize(
    ("pairs", "device", "d_model"),
    [
        (999_999, "cpu", 128),
        (1_000_000, "cpu", 256),
        (49_999, "cuda", 128),
        (50_000, "cuda", 256),
        (1_000_000, "cuda", 512),
    ],
)
def test_the_more_pairs_and_the_faster_the_device_the_larger_the_model(pairs, device, d_model):
    assert values(pairs, device)["model.d_model"] == d_model


@pytest.mark.parametrize(
    ("pairs", "pieces"), [(2_999, 1_000), (3_000, 2_000), (29_000, 4_000), (60_000, 8_000), (3_000_000, 32_000)]
)
def test_the_vocabulary_grows_with_the_corpus(pairs, pieces):
    assert values(pairs)["text.vocabulary"] == pieces


def test_a_corpus_of_many_characters_gets_room_for_them_and_for_pieces_of_several():
    for characters, pieces in ((150, 1_000), (370, 1_000), (2_000, 4_260)):
        choice = recommend(2_000, Machine("cpu"), {}, characters=characters)["text.vocabulary"]
        assert choice.value == pieces
        assert ("2,000 different characters" in choice.reason) == (characters == 2_000)


def test_a_small_corpus_is_trained_with_more_dropout():
    assert (values(49_999)["model.p_drop"], values(50_000)["model.p_drop"]) == (0.3, 0.1)


@pytest.mark.parametrize(("pairs", "epochs"), [(100, 60), (200_000, 60), (1_000_000, 12), (10_000_000, 5)])
def test_the_epochs_are_as_many_as_twelve_million_pairs_make_but_5_to_60(pairs, epochs):
    assert values(pairs)["training.epochs"] == epochs


def test_the_warm_up_takes_two_epochs_and_a_validation_comes_each_epoch():
    """68,267 pairs of 30 tokens are 500 updates of 4,096 tokens."""
    chosen = values(68_267)
    assert (chosen["training.warmup"], chosen["training.validate_every"]) == (1_000, 500)
    assert chosen["training.save_every"] == 200


def test_of_two_directions_an_epoch_is_twice_as_long_and_the_reasons_say_whose_is_meant():
    for directions, epoch in ((("fr-en",), "an epoch, about 500"), (("fr-en", "en-fr"), "of one direction, about 500")):
        chosen = recommend(68_267, Machine("cpu"), {"text.directions": directions})
        assert epoch in chosen["training.validate_every"].reason
        assert ("of one direction" in chosen["training.warmup"].reason) == (len(directions) > 1)


@pytest.mark.parametrize(
    ("batch", "validate", "warmup"),
    [
        ({}, "50: once an epoch, about 4 updates; 50 at least", "60: two epochs, about 8 updates; 60 at least"),
        ({"training.epochs": 100}, "50: once an epoch", "100: two epochs, about 8 updates; 100 at least"),
        (
            {"training.epochs": 1},
            "50: once an epoch",
            "1: two epochs, about 8 updates; 1 at most, a quarter of the run",
        ),
        ({"training.batch_tokens": 18}, "1000: once an epoch, about 1,000 updates", "2000: two epochs, about 2,000"),
        ({"training.batch_tokens": 6}, "2000: once an epoch, about 3,000 updates; 2,000 at most", "2000: two epochs"),
        ({"training.batch_tokens": 18, "training.accumulate": 1000}, "50: once an epoch, about 1 update;", "15: two"),
    ],
)
def test_the_reasons_count_the_updates_that_there_will_be_and_name_the_bound_that_decides(batch, validate, warmup):
    """600 pairs of 30 tokens."""
    chosen = recommend(600, Machine("cpu", 2), batch)
    for name, told in (("validate_every", validate), ("warmup", warmup)):
        choice = chosen[f"training.{name}"]
        assert f"{choice.value}: {choice.reason}".startswith(told)


@pytest.mark.parametrize("limit", ["training.epochs", "training.updates", "training.minutes"])
def test_who_sets_a_limit_gets_no_other(limit):
    assert not {"training.epochs", "training.updates", "training.minutes"} & values(10_000, **{limit: 3}).keys()


def test_what_is_given_is_left_alone():
    given = {"model.d_model": 64, "training.ema": 0.0, "text.vocabulary": 500}
    assert not values(10_000, **given).keys() & given.keys()
    assert values(10_000, **given).keys() | given.keys() == values(10_000).keys()


@pytest.mark.parametrize(("cores", "abreast"), [(1, 1), (2, 2), (4, 4), (64, 4)])
def test_the_cores_share_an_update_of_4096_tokens(cores, abreast):
    chosen = values(10_000, machine=(cores,))
    assert (chosen["training.accumulate"], chosen["training.batch_tokens"]) == (abreast, 4096 // abreast)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_an_update_of_a_size_that_is_asked_for_has_it_on_every_machine(cores):
    batch, shared = {"training.batch_tokens": 1024}, {"training.accumulate": 8}
    choice = recommend(600, Machine("cpu", cores), batch)["training.accumulate"]
    assert choice == (1, "updates of 1,024 tokens, as asked for, however many cores there are")
    choice = recommend(600, Machine("cpu", cores), shared)["training.batch_tokens"]
    assert choice == (512, "updates of 4,096 tokens")


@pytest.mark.parametrize(
    ("given", "rate", "why"),
    [
        ({}, 0.003, "the highest that a small pre-norm model bears"),
        ({"model.d_model": 64}, 0.003, "the highest that"),
        (preset("small"), 0.0021, "the wider the less: 0.003 at d_model 128, by the root of 256 / 128 less here"),
        (preset("base"), 0.0015, "the wider the less"),
        (preset("big"), 0.0011, "the wider the less"),
        ({"model.norm": "post"}, 0.0014, "post-norm bears less: the paper's peak for d_model 128 and a warm-up of 4,0"),
        (preset("base") | {"model.norm": "post"}, 0.0007, "post-norm bears less"),  # (512 * 4000)^-0.5
        (preset("base") | {"model.norm": "post", "training.warmup": 16_000}, 0.00035, "post-norm bears less"),
        ({"model.architecture": "rnn", "model.d_model": 1000}, 0.002, "a recurrent layer bears less"),
        ({"model.architecture": "rnn", "model.norm": "post"}, 0.002, "a recurrent layer bears less"),
    ],
)
def test_the_wider_the_model_the_lower_its_learning_rate_and_after_post_norm_lower_still(given, rate, why):
    choice = recommend(30_000, Machine("cpu"), given)["training.learning_rate"]
    assert choice.value == rate
    assert choice.reason.startswith(why)


def test_the_width_that_is_chosen_counts_as_one_that_is_given():
    assert [values(5_000_000, device)["training.learning_rate"] for device in ("cpu", "cuda")] == [0.0021, 0.0015]


@pytest.mark.parametrize(
    ("limits", "updates"),
    [
        ({}, 1_000),
        ({"training.epochs": 20}, 365),
        ({"training.updates": 2_000}, 500),
        ({"training.epochs": 20, "training.updates": 1_600}, 365),
        ({"training.epochs": 1}, 18),
    ],
)
def test_post_norm_rises_for_a_thousand_updates_or_a_quarter_of_a_short_run(limits, updates):
    """10,000 pairs of 30 tokens: 73 updates an epoch; pre-norm rises for two epochs, if that is no longer."""
    given = {"model.norm": "post"} | limits
    choice = recommend(10_000, Machine("cpu"), given)["training.warmup"]
    assert choice.value == updates
    assert ("at least with post-norm" in choice.reason) == (updates != 18)
    assert recommend(10_000, Machine("cpu"), limits)["training.warmup"].value == min(updates, 146)


@pytest.mark.parametrize("given", [{}, {"model.norm": "post"}, {"model.architecture": "rnn"}, preset("big")])
def test_who_goes_on_from_a_trained_model_gets_a_third_of_the_rate(given):
    new, old = (recommend(30_000, Machine("cpu"), given, trained=trained) for trained in (False, True))
    assert old["training.learning_rate"].value == pytest.approx(new["training.learning_rate"].value / 3, rel=0.05)
    assert "goes on from a trained model" in old.pop("training.learning_rate").reason
    assert old.items() <= new.items()


@pytest.mark.parametrize("name", ["model.d_model", "training.batch_tokens", "training.accumulate", "training.updates"])
@pytest.mark.parametrize("value", [0, -7])
def test_what_is_given_and_cannot_be_is_left_to_be_refused(name, value):
    recommend(30_000, Machine("cpu"), {name: value, "model.norm": "post"})


@pytest.mark.parametrize(("gain", "precision"), [(0.0, "float32"), (1.29, "float32"), (1.3, "bfloat16")])
def test_half_the_bits_are_taken_where_they_were_measured_to_help(gain, precision):
    assert values(10_000, machine=(2, gain))["training.precision"] == precision


@pytest.mark.parametrize("pairs", [10, 29_000, 5_000_000])
def test_an_rnn_gets_settings_that_it_reads_and_none_that_it_does_not(pairs):
    chosen = values(pairs, **{"model.architecture": "rnn"})
    model = {name for name in chosen if name.startswith("model.")}
    assert model == {f"model.{name}" for name in ("n_encoder_layers", "n_decoder_layers", "d_model", "p_drop")}
    assert chosen["training.learning_rate"] < values(pairs)["training.learning_rate"]
    assert configure(chosen | {"model.architecture": "rnn"}).model.n_encoder_layers == 1


def test_what_is_given_for_an_rnn_is_left_alone():
    chosen = values(29_000, **{"model.architecture": "rnn", "model.d_model": 14})
    assert "model.d_model" not in chosen
    assert "model.n_decoder_layers" in chosen
