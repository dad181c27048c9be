"""Settings: their names, their types, and what is said of wrong ones."""

import dataclasses
import json
import tomllib

import pytest

from regard.config import (
    PRESETS,
    Config,
    DecodingConfig,
    ModelConfig,
    TextConfig,
    TrainingConfig,
    configure,
    flatten,
    parse_setting,
    preset,
    read_settings,
)
from regard.errors import InputError
from regard.model.transformer import Transformer


def refused(message):
    return pytest.raises(InputError, match=message)


def written(folder, text):
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_model(name):
    """Built with layers and widths as told, but a vocabulary of 7 and no memory for the numbers."""
    import torch

    config = configure(preset(name)).model
    with torch.device("meta"):
        model = Transformer(config, 7, 7)
    assert (len(model.encoder.layers), len(model.decoder.layers)) == (config.n_encoder_layers, config.n_decoder_layers)
    assert model.output.weight.shape == (7, config.d_model)


def test_base_and_big_are_the_papers():
    """Table 3."""
    base, big = (configure(preset(name)).model for name in ("base", "big"))
    assert (base.n_encoder_layers, base.d_model, base.d_ff, base.n_heads, base.key_width) == (6, 512, 2048, 8, 64)
    assert (big.n_decoder_layers, big.d_model, big.d_ff, big.n_heads, big.value_width) == (6, 1024, 4096, 16, 64)
    assert base == ModelConfig()
    assert (base.norm, base.positions, base.activation, base.p_drop) == ("post", "sinusoidal", "relu", 0.1)


def test_deep_and_shallow_has_12_layers_and_one():
    config = configure(preset("deep-shallow")).model
    assert (config.n_encoder_layers, config.n_decoder_layers) == (12, 1)


def test_an_unknown_preset_is_refused_with_the_one_that_was_meant():
    with refused("no preset 'smal'; did you mean 'small'\\?$"):
        preset("smal")
    with refused("no preset 'xyz'; there are tiny, small, base, big, deep-shallow"):
        preset("xyz")


def test_dotted_settings_go_to_their_places_and_the_others_stay():
    config = configure({"model.d_model": 22, "model.n_heads": 11, "training.seed": 7, "text.joint": False})
    assert (config.model.d_model, config.training.seed, config.text.joint) == (22, 7, False)
    assert config.decoding == DecodingConfig()
    assert configure({}) == Config()


def test_flattened_settings_make_the_same_configuration_also_by_way_of_json():
    settings = {
        "model.d_k": 3,
        "model.norm": "pre",
        "text.directions": ("fr-en", "en-fr"),
        "training.learning_rate": 1e-05,
        "training.minutes": 7.0,
        "decoding.top_p": 0.5,
    }
    config = configure(settings)
    flat = flatten(config)
    assert flat | settings == flat
    assert flat["model.d_v"] is None
    assert configure(flat) == config
    assert configure(json.loads(json.dumps(flat))) == config


def test_a_key_and_a_value_are_as_wide_as_a_share_of_the_model_where_nothing_else_is_said():
    config = ModelConfig(d_model=22, n_heads=11)
    assert (config.key_width, config.value_width) == (2, 2)
    config = ModelConfig(d_model=22, n_heads=3, d_k=5, d_v=7)
    assert (config.key_width, config.value_width) == (5, 7)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("model.n_head", "model.n_heads"),
        ("n_head", "model.n_heads"),
        ("d_model", "model.d_model"),
        ("training.d_model", "model.d_model"),
        ("modle.p_drop", "model.p_drop"),
        ("training.warm_up", "training.warmup"),
        ("decoding.beam", "decoding.beam_size"),
    ],
)
@pytest.mark.parametrize("way", [lambda name: configure({name: "1"}), lambda name: parse_setting(f"{name}=1")])
def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant(name, meant, way):
    with refused(f"^There is no setting '{name}'; did you mean '{meant}'\\?$"):
        way(name)


def test_a_name_that_stands_in_several_parts_is_refused_with_all_of_them():
    with refused("did you mean 'model.max_length' or 'text.max_length' or 'decoding.max_length'\\?$"):
        configure({"max_length": 1})


def test_a_setting_like_no_other_is_refused_with_what_there_is():
    with refused(r"^There is no setting 'xyz'; all begin with model\., text\., training\., decoding\.$"):
        configure({"xyz": 1})
    with refused("^There is no setting 'text.xyz'; text has tokenizer, vocabulary, joint, "):
        configure({"text.xyz": 1})


def test_learned_positions_must_reach_as_far_as_the_sentences():
    """A source of 250 pieces has a tag and an end besides."""
    settings = {"model.positions": "learned", "text.max_length": 250, "decoding.max_length": 200}
    configure(settings | {"model.max_length": 252})
    with refused("model.max_length is 251, .* take 252 learned positions"):
        configure(settings | {"model.max_length": 251})


def test_what_cannot_be_sampled_is_not():
    with refused("text.sampling is 0.1, but there is only one way to write a line with text.tokenizer = word"):
        TextConfig(tokenizer="word", sampling=0.1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("model.d_model=256", 256),
        (" model.d_model = 256 ", 256),
        ("model.p_drop=0", 0.0),
        ("training.learning_rate=3e-4", 3e-4),
        ("model.tie=false", False),
        ("model.tie=Yes", True),
        ("model.norm=pre", "pre"),
        ("model.d_k=auto", None),
        ("model.d_k=11", 11),
        ("text.directions=fr-en,en-fr", ("fr-en", "en-fr")),
        ("text.directions=fr-en", ("fr-en",)),
        ("text.directions=", ()),
        ("text.directions=none", ()),
    ],
)
def test_what_is_typed_on_a_command_line_is_read_as_the_type_that_is_wanted(text, value):
    got = parse_setting(text)[1]
    assert got == value
    assert type(got) is type(value)


def test_a_setting_without_a_value_is_refused():
    with refused("'model.d_model' is not a setting; write name=value"):
        parse_setting("model.d_model")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("model.d_model", "many", "a whole number"),
        ("model.d_model", 2.5, "a whole number"),
        ("model.d_model", True, "a whole number"),
        ("model.d_model", None, "a whole number"),
        ("model.p_drop", "little", "a number"),
        ("model.p_drop", False, "a number"),
        ("training.minutes", "inf", "a number"),
        ("training.minutes", 10**400, "a number"),
        ("model.tie", "perhaps", "true or false"),
        ("model.tie", 1, "true or false"),
        ("model.norm", "middle", "one of post, pre"),
        ("model.norm", ["pre"], "one of post, pre"),
        ("model.d_k", "narrow", "a whole number, or auto"),
        ("text.directions", 7, "a list of directions such as fr-en"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_right_one(name, value, wanted):
    with refused(f"^{name} is .*; expected {wanted}\\.$"):
        configure({name: value})


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ModelConfig, {"n_heads": 0}),
        (ModelConfig, {"d_model": 100, "n_heads": 3}),
        (ModelConfig, {"d_model": 11, "n_heads": 11}),
        (ModelConfig, {"d_k": 0}),
        (ModelConfig, {"p_drop": 1.0}),
        (ModelConfig, {"p_drop": float("nan")}),
        (TextConfig, {"vocabulary": 299}),
        (TextConfig, {"sampling": -0.1}),
        (TextConfig, {"max_length": 1}),
        (TrainingConfig, {"accumulate": 0}),
        (TrainingConfig, {"minutes": -1.0}),
        (TrainingConfig, {"learning_rate": 0.0}),
        (TrainingConfig, {"ema": 1.0}),
        (DecodingConfig, {"beam_size": 0}),
        (DecodingConfig, {"top_p": 0.0}),
        (DecodingConfig, {"max_ratio": 0.0}),
        (DecodingConfig, {"n_best": 7, "beam_size": 5}),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_by_its_name(kind, given):
    with refused(f"{next(iter(given))} is "):
        kind(**given)


def test_more_answers_than_the_beam_is_wide_can_be_sampled():
    assert DecodingConfig(n_best=7, beam_size=5, temperature=1.0).n_best == 7


def test_settings_cannot_change_behind_ones_back():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().d_model = 7


def test_a_file_has_a_table_for_each_part(tmp_path):
    text = '[model]\nd_model = 22\nd_k = "auto"\n[text]\ndirections = ["fr-en"]\n[training]\nminutes = 3\n'
    assert read_settings(written(tmp_path, text)) == {
        "model.d_model": 22,
        "model.d_k": None,
        "text.directions": ("fr-en",),
        "training.minutes": 3.0,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model\n", "not a TOML file: .*line 1"),
        ("d_model = 3\n", "'d_model' stands outside a table"),
        ("[model]\nd_modle = 3\n", "no setting 'model.d_modle'; did you mean 'model.d_model'"),
        ("[modle]\nd_model = 3\n", "no setting 'modle.d_model'; did you mean 'model.d_model'"),
        ('[model]\nd_model = "wide"\n', "model.d_model is 'wide'; expected a whole number"),
        ("[model.d_model]\nwide = 3\n", "model.d_model is .*; expected a whole number"),
    ],
)
def test_a_wrong_file_of_settings_is_refused(tmp_path, text, message):
    with refused(message):
        read_settings(written(tmp_path, text))


def test_a_file_that_is_no_text_or_not_there_is_refused_by_its_path(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"[model]\n# \xe9\n")
    with refused(r"latin\.toml: not a TOML file"):
        read_settings(tmp_path / "latin.toml")
    with refused(r"none\.toml: cannot be read \(No such file or directory\)\. Is the path right\?"):
        read_settings(tmp_path / "none.toml")


def test_every_default_can_be_written_as_toml_and_read_again(tmp_path):
    settings = flatten(Config())
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if value is not None]
    nested = tomllib.loads("\n".join(lines))
    assert {f"{part}.{key}" for part, values in nested.items() for key in values} <= settings.keys()
    text = "".join(
        f"[{part}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        for part, values in nested.items()
    )
    assert configure(read_settings(written(tmp_path, text))) == Config()


def test_settings_may_be_put_over_those_of_another_configuration():
    base = configure({"decoding.beam_size": 3, "text.max_length": 77})
    changed = configure({"decoding.n_best": "2"}, base)
    assert (changed.decoding.beam_size, changed.decoding.n_best, changed.text.max_length) == (3, 2, 77)
    with pytest.raises(InputError, match=r"decoding\.n_best is 4: raise decoding\.beam_size from 3"):
        configure({"decoding.n_best": 4}, base)
