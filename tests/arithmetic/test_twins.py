"""Compiled twins give the bits of their definitions, whatever the shape, the layout or the scale."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_book.arithmetic import functions, native, reference
from nnfs_book.network.activations import ReLU
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import CategoricalCrossentropy
from nnfs_book.network.passes import back_through, backward, forward, split, through
from nnfs_book.network.randomness import RandomStream

compiled = pytest.importorskip("nnfs_book.arithmetic.compiled", reason="needs Numba", exc_type=ImportError)


@pytest.fixture(scope="module", autouse=True)
def warm():
    """Compile first, so that no example is slow."""
    compiled.warm_up()


# --- Arrays to try --------------------------------------------------------------------------------

TINY, LARGEST = np.float32(1e-45), np.finfo(np.float32).max


def ordinary(draw, shape):
    """Return numbers of like size."""
    return draw.standard_normal(shape)


def far_apart(draw, shape):
    """Return rows and columns that lie up to sixty powers of ten apart."""
    rows = 10.0 ** draw.randint(-30, 31, (shape[0], 1))
    return draw.standard_normal(shape) * rows * 10.0 ** draw.randint(-8, 9, (1, shape[1]))


def any_bits(draw, shape):
    """Return any finite float32: every exponent is as likely, subnormal ones too."""
    patterns = draw.randint(0, 2**32, shape, dtype=np.uint64).astype(np.uint32)
    numbers = patterns.view(np.float32)
    return np.where(np.isfinite(numbers), numbers, 0)


def few_values(draw, shape):
    """Return zeros of both signs, the smallest and the largest numbers, and ones."""
    return draw.choice(np.float32([0, -0.0, TINY, -TINY, LARGEST, -LARGEST, 1, -1]), shape)


def zeros(draw, shape):
    """Return zeros of both signs and, rarely, a one."""
    return draw.choice(np.float32([0, -0.0, 0, -0.0, 0, -0.0, -1]), shape)


def halves(draw, shape):
    """Return numbers that lie half-way between multiples of a coarse grid's unit."""
    return draw.randint(-3, 4, shape) + 2.0 ** -draw.randint(15, 24, shape)


FILLS = ordinary, far_apart, any_bits, few_values, zeros, halves


def as_it_is(a):
    """Return rows that follow one another in memory."""
    return a


def turned(a):
    """Return a transposed view."""
    return np.ascontiguousarray(a.T).T


def strided(a):
    """Return a view that skips rows and columns."""
    return np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3]


def backwards(a):
    """Return a view that runs backwards."""
    return np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1]


def read_only(a):
    """Return an array that must not be written to."""
    a = a.copy()
    a.flags.writeable = False
    return a


def misaligned(a):
    """Return numbers that do not begin at a multiple of four bytes."""
    room = np.empty(a.nbytes + 1, np.uint8)[1:]
    view = room.view(np.float32).reshape(a.shape)
    view[...] = a
    return view


LAYOUTS = as_it_is, turned, strided, backwards, read_only, misaligned

seeds = st.integers(0, 2**32 - 1).map(np.random.RandomState)
fills, layouts = st.sampled_from(FILLS), st.sampled_from(LAYOUTS)
# Lengths either side of the kernels' fours and eights, and of their panels and blocks.
edges = st.integers(1, 9) | st.sampled_from([10, 12, 15, 16, 17, 31, 33, 64, 65, 127, 128, 129])
terms = st.integers(0, 70) | st.sampled_from([127, 128, 129, 257])


@st.composite
def matrices(draw, rows, columns, layouts=layouts):
    """Return a strategy for a float32 matrix; lengths are numbers or strategies."""
    n, m = (draw(x) if isinstance(x, st.SearchStrategy) else x for x in (rows, columns))
    with np.errstate(over="ignore", under="ignore"):
        a = draw(fills)(draw(seeds), (n, m)).astype(np.float32)
    a[~np.isfinite(a)] = 1
    return draw(layouts)(a)


@st.composite
def factors(draw, n=edges, k=terms, m=edges):
    """Return a strategy for two matrices whose product is defined."""
    k = draw(k)
    return draw(matrices(n, k)), draw(matrices(k, m))


# --- What is compared -----------------------------------------------------------------------------


def outcome(function, *arguments, **settings):
    """Return type, shape and bytes of a result, or the error; and see that inputs are untouched."""
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    before = [a.tobytes() for a in arrays]
    try:
        with np.errstate(all="ignore"):
            result = function(*arguments, **settings)
    except Exception as error:
        found = type(error), str(error)
    else:
        found = type(result), result.dtype, result.shape, result.tobytes()
    assert [a.tobytes() for a in arrays] == before
    return found


def spoiled(a, draw, value):
    """Return a copy with one number replaced."""
    a = a.copy()
    a[tuple(draw.randint(0, length) for length in a.shape)] = value
    return a


not_finite = st.sampled_from([np.nan, -np.nan, np.inf, -np.inf])


# --- Sums -----------------------------------------------------------------------------------------


@settings(max_examples=800)
@given(factors())
def test_a_product_has_the_bits_of_its_definition(pair):
    assert outcome(compiled.matmul, *pair) == outcome(reference.matmul, *pair)


@settings(max_examples=400)
@given(
    st.one_of(
        factors(n=st.integers(0, 9), k=st.integers(0, 20), m=st.integers(0, 9)),
        factors(n=edges, k=st.integers(1, 5), m=st.sampled_from([3, 511, 512, 513, 1030])),
        factors(n=st.integers(1, 5), k=terms, m=st.sampled_from([1, 511, 512, 513, 1030])),
        factors(n=st.sampled_from([1, 511, 512, 513, 1030]), k=terms, m=st.integers(1, 5)),
        factors(n=st.integers(1, 9), k=st.sampled_from([3000, 4096, 4097]), m=st.integers(1, 20)),
        factors(n=edges, k=st.sampled_from([300, 784]), m=edges),
    )
)
def test_empty_flat_tall_and_deep_products_have_the_bits_of_their_definition(pair):
    assert outcome(compiled.matmul, *pair) == outcome(reference.matmul, *pair)


@given(factors(k=st.integers(1, 70)), st.booleans(), seeds, not_finite)
def test_a_product_refuses_nan_and_infinity_wherever_they_stand(pair, first, draw, value):
    a, b = pair
    a, b = (spoiled(a, draw, value), b) if first else (a, spoiled(b, draw, value))
    refused = outcome(compiled.matmul, a, b)
    assert refused == outcome(reference.matmul, a, b)
    assert issubclass(refused[0], ValueError)


@given(factors(n=st.integers(2, 40), k=st.integers(1, 70)), st.data())
def test_a_row_has_the_same_bits_alone_and_in_company(pair, data):
    a, b = pair
    first = data.draw(st.integers(0, len(a) - 1))
    last = data.draw(st.integers(first + 1, len(a)))
    alone, together = compiled.matmul(a[first:last], b), compiled.matmul(a, b)[first:last]
    assert alone.tobytes() == together.tobytes()


@settings(max_examples=600)
@given(
    matrices(st.integers(0, 130), st.integers(0, 130)),
    st.sampled_from([None, 0, 1, -1, -2, 2]),
    st.booleans(),
)
def test_a_total_has_the_bits_of_its_definition(a, axis, keepdims):
    twin, definition = (f.total for f in (compiled, reference))
    assert outcome(twin, a, axis, keepdims) == outcome(definition, a, axis, keepdims)
    assert outcome(twin, a, axis=axis) == outcome(definition, a, axis=axis)


@given(
    matrices(st.integers(1, 40), st.integers(1, 8)),
    st.sampled_from([None, 0, 1, -1]),
    st.booleans(),
)
def test_totals_of_vectors_scalars_and_cubes_have_the_bits_of_their_definition(a, axis, keepdims):
    for other in a[:, 0], a[0], a.ravel(), np.array(a[0, 0]), a[np.newaxis], a[:, np.newaxis]:
        found = outcome(compiled.total, other, axis, keepdims)
        assert found == outcome(reference.total, other, axis, keepdims)


@pytest.mark.parametrize("shape", [(5000, 3), (3, 5000), (3001, 64)])
@pytest.mark.parametrize("fill", FILLS)
def test_long_totals_have_the_bits_of_their_definition(shape, fill):
    a = fill(np.random.RandomState(1), shape).clip(-LARGEST, LARGEST).astype(np.float32)
    for axis in None, 0, 1:
        assert outcome(compiled.total, a, axis) == outcome(reference.total, a, axis)


@given(
    matrices(st.integers(1, 40), st.integers(1, 9)),
    seeds,
    not_finite,
    st.sampled_from([None, 0, 1]),
)
def test_a_total_refuses_nan_and_infinity_wherever_they_stand(a, draw, value, axis):
    a = spoiled(a, draw, value)
    refused = outcome(compiled.total, a, axis)
    assert refused == outcome(reference.total, a, axis)
    assert issubclass(refused[0], ValueError)


# --- Functions ------------------------------------------------------------------------------------


def test_the_constants_are_those_of_the_definitions():
    """A last coefficient that differs would show in one of a billion results."""
    for name in "EXP_SERIES", "LOG_SERIES":
        assert list(getattr(compiled, name)) == getattr(functions, name)
    assert (compiled.LN2_HIGH, compiled.LN2_LOW) == functions.LN2
    assert compiled.PER_LN2 == 1 / functions.LN2[0]
    assert compiled.HALF_ROOT == functions.HALF_ROOT


@pytest.mark.parametrize("name", ["exp", "log"])
@given(draw=seeds)
def test_exp_and_log_have_the_bits_of_their_definitions_for_any_pattern(name, draw):
    patterns = draw.randint(0, 2**32, 20_000, dtype=np.uint64).astype(np.uint32)
    # All exponents and signs, with nothing, everything or the last bit in the other places.
    heads = np.arange(512, dtype=np.uint32) << 23
    x = np.concatenate([patterns, heads, heads | 0x7FFFFF, heads | 1]).view(np.float32)
    x = np.concatenate([x, draw.uniform(-110, 95, 5000).astype(np.float32)])
    twin, definition = (getattr(module, name) for module in (compiled, functions))
    found, expected = twin(x), definition(x)
    both_nan = np.isnan(found) & np.isnan(expected)  # no standard says which of the NaNs it is
    different = (found.view(np.uint32) != expected.view(np.uint32)) & ~both_nan
    assert found.dtype == expected.dtype == np.float32
    assert not different.any(), x[different][:5]


def test_logarithms_that_float64_rounds_to_a_midpoint_have_the_bits_of_their_definition():
    """There are five; the sum's last rounding alone would send them to the wrong side."""
    patterns = [0x3C413D3A, 0x41178FEB, 0x4C5D65A5, 0x65D890D3, 0x6F31A8EC]
    x = np.array(patterns, np.uint32).view(np.float32)
    assert outcome(compiled.log, x) == outcome(functions.log, x)


def test_logarithms_near_one_have_the_bits_of_their_definition():
    x = (np.uint32(0x3F800000) + np.arange(-200_000, 200_000).astype(np.uint32)).view(np.float32)
    assert outcome(compiled.log, x) == outcome(functions.log, x)


@pytest.mark.parametrize("name", ["exp", "log"])
@given(a=matrices(st.integers(0, 20), st.integers(0, 20)))
def test_exp_and_log_keep_the_shape(name, a):
    twin, definition = (getattr(module, name) for module in (compiled, functions))
    shapes = [a, a.reshape(1, *a.shape), a.ravel()] + [np.array(x) for x in a.flat[:1]]
    for x in shapes:
        found, expected = outcome(twin, np.abs(x)), outcome(definition, np.abs(x))
        assert found == expected


# --- Steps of the network -------------------------------------------------------------------------


def affine(a, b, biases):
    return reference.matmul(a, b) + biases


@given(factors(), st.data())
def test_an_affine_map_has_the_bits_of_its_definition(pair, data):
    biases = data.draw(matrices(1, pair[1].shape[1]))
    assert outcome(compiled.affine, *pair, biases) == outcome(affine, *pair, biases)


@settings(max_examples=400)
@given(
    st.one_of(
        factors(k=terms.filter(bool)),
        factors(n=st.sampled_from([63, 64, 65, 129]), k=st.integers(1, 20), m=edges),
        factors(n=st.integers(1, 9), k=st.integers(1, 5), m=st.sampled_from([511, 512, 513])),
        factors(n=st.integers(0, 3), k=st.integers(1, 3), m=st.integers(1, 3)),
    ),
    st.data(),
)
def test_the_gradients_of_a_dense_layer_have_the_bits_of_their_definition(pair, data):
    layer = dense_layer(*pair)
    dvalues = data.draw(matrices(len(layer.inputs), layer.n_neurons))
    for name in "dweights", "dbiases", "dinputs":
        twin, definition = (part(f, name) for f in (compiled.dense_gradients, Dense.gradients))
        assert outcome(twin, layer, dvalues) == outcome(definition, layer, dvalues)


@given(factors(k=st.integers(1, 70)), seeds, not_finite, st.sampled_from(["inputs", "weights", "d"]))
def test_the_gradients_of_a_dense_layer_refuse_nan_and_infinity(pair, draw, value, where):
    arrays = {"inputs": pair[0], "weights": pair[1], "d": np.ones((len(pair[0]), pair[1].shape[1]))}
    arrays[where] = spoiled(arrays[where].astype(np.float32), draw, value)
    layer = dense_layer(arrays["inputs"], arrays["weights"])
    dvalues, before = np.float32(arrays["d"]), layer.__dict__.copy()
    refused = outcome(compiled.dense_gradients, layer, dvalues)
    assert refused == outcome(Dense.gradients, layer, dvalues)
    assert issubclass(refused[0], ValueError)
    assert all(layer.__dict__[name] is value for name, value in before.items())


@pytest.mark.parametrize("wrong", ["inputs", "weights"])
def test_the_gradients_of_a_dense_layer_refuse_shapes_that_do_not_fit(wrong):
    a = np.ones((3, 3), np.float32)
    layer = dense_layer(**{"inputs": a, "weights": a} | {wrong: a[:2, :2]})
    refused = outcome(compiled.dense_gradients, layer, a)
    assert refused == outcome(Dense.gradients, layer, a)
    assert issubclass(refused[0], ValueError)


@st.composite
def hidden_layers(draw):
    """Return twice the same hidden layer between few inputs and outputs, inputs, and a gradient."""
    n, k, j = draw(edges), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    m = draw(edges | st.sampled_from([511, 512, 513]))
    rate = draw(st.sampled_from([None, 0, 0.1, 0.5, 0.999]))
    shapes = (k, m), (1, m), (m, j), (1, j)
    weights, biases, last_weights, last_biases = (draw(matrices(*shape)) for shape in shapes)

    def layers():
        dropout = [] if rate is None else [Dropout(rate, stream=RandomStream(3))]
        first, last = dense_layer(None, weights), dense_layer(None, last_weights)
        first.biases, last.biases = biases, last_biases
        return [first, ReLU(), *dropout, last]

    return layers(), layers(), draw(matrices(n, k)), draw(matrices(n, j))


@settings(max_examples=400)
@given(hidden_layers())
def test_a_hidden_layer_in_one_go_has_the_bits_of_its_layers(drawn):
    layers, others, inputs, dvalues = drawn
    assert outcome(forward, layers, inputs) == outcome(through, others, inputs)

    def gradients(pass_back, layers):
        pass_back(layers, dvalues)
        dense = layers[0], layers[-1]
        return np.concatenate([g.ravel() for x in dense for g in (x.dweights, x.dbiases)])

    assert outcome(gradients, backward, layers) == outcome(gradients, back_through, others)


@given(edges, edges, edges, edges, seeds, st.none() | not_finite)
def test_the_way_back_ends_at_the_first_weights(n, k, m, j, draw, value):
    """The gradient at the inputs, which moves nothing, is left out: not so the other gradients."""

    def layers():
        stream = RandomStream(3)
        return [Dense(k, m, weight_regularizer_l1=0.1, stream=stream), ReLU(), Dense(m, j, stream=stream)]

    def gradients(pass_back, layers):
        through(layers, inputs)
        pass_back(layers, dvalues)
        dense = layers[0], layers[-1]
        return np.concatenate([g.ravel() for x in dense for g in (x.dweights, x.dbiases)])

    inputs, dvalues = (ordinary(draw, (n, width)).astype(np.float32) for width in (k, j))
    if value is not None:
        dvalues = spoiled(dvalues, draw, value)
    both = layers(), layers()
    both[0][0].dinputs = "of an earlier batch"
    assert outcome(gradients, backward, both[0]) == outcome(gradients, back_through, both[1])
    assert hasattr(both[0][0], "dinputs") == (value is not None)


def test_a_hidden_layer_of_the_book_is_passed_in_one_go():
    layers = [Dense(2, 64), ReLU(), Dropout(0.1), Dense(64, 3), ReLU()]
    assert split(layers) == (layers[:4], layers[4:])
    assert compiled.hidden_forward_pass(layers[:4], np.ones((5, 2), np.float32)) is not None
    assert compiled.backward_pass(layers[:4], np.ones((5, 3), np.float32)) is True


class DoublesGradients(Dense):
    def gradients(self, dvalues):
        return {name: 2 * gradient for name, gradient in super().gradients(dvalues).items()}


class LetsAllThrough(ReLU):
    def function(self, z):
        return z.copy()


@pytest.mark.parametrize(
    "layers",
    [
        [DoublesGradients(2, 4), ReLU(), Dense(4, 1)],
        [Dense(2, 4), LetsAllThrough(), Dense(4, 1)],
        [Dense(2, 4), ReLU(), Dense(4, 1)][:2],
        [Dense(2, 4), ReLU(), ReLU(), Dense(4, 1)],
    ],
)
def test_other_layers_are_passed_one_by_one(layers):
    assert split(layers) == ([], layers)


def test_a_method_that_was_put_in_place_of_another_is_called(monkeypatch):
    layers = [Dense(2, 4), ReLU(), Dense(4, 1)]
    with native():
        assert split(layers) == ([], layers)
    monkeypatch.setattr(ReLU, "function", lambda self, z: z)
    assert split(layers) == ([], layers)


def dense_layer(inputs, weights):
    layer = Dense(*weights.shape, weight_regularizer_l2=0.1)
    layer.inputs, layer.weights = inputs, weights
    return layer


def part(gradients, name):
    return lambda layer, dvalues: gradients(layer, dvalues)[name]


def softmax(z):
    powers = functions.exp(z - z.max(axis=1, keepdims=True))
    return powers / reference.total(powers, axis=1, keepdims=True)


@settings(max_examples=400)
@given(matrices(st.integers(0, 40), st.integers(1, 12)), st.sampled_from([1, 20, 1000]))
def test_a_softmax_has_the_bits_of_its_definition(z, scale):
    with np.errstate(over="ignore"):
        z = np.clip(z * np.float32(scale), -LARGEST, LARGEST)
    assert outcome(compiled.softmax, z) == outcome(softmax, z)


@given(matrices(st.integers(1, 20), st.integers(1, 8)), seeds, not_finite)
def test_a_softmax_treats_nan_and_infinity_like_its_definition(z, draw, value):
    z = spoiled(z, draw, value)
    assert outcome(compiled.softmax, z) == outcome(softmax, z)


@given(matrices(st.integers(0, 40), st.integers(0, 40)), seeds, st.none() | not_finite)
def test_a_value_that_is_not_finite_is_found_wherever_it_stands(a, draw, value):
    if value is not None and a.size:
        a = spoiled(a, draw, value)
    assert compiled.all_finite(a) is bool(np.isfinite(a).all())


@given(st.integers(0, 20), st.integers(0, 20), st.data())
def test_a_relu_has_the_bits_of_its_definition_forward_and_backward(n, m, data):
    z, dvalues = data.draw(matrices(n, m)), data.draw(matrices(n, m))
    definition = ReLU()
    assert outcome(compiled.relu, definition, z) == outcome(definition.function, z)
    found = outcome(compiled.relu_chain, definition, dvalues, z, z)
    assert found == outcome(definition.chain, dvalues, z, z)


def probabilities(a):
    """Return numbers as a loss hands them on: from 1e-7 to just below 1."""
    with np.errstate(over="ignore"):
        return np.clip(abs(a), np.float32(1e-7), np.float32(1 - 1e-7))


@settings(max_examples=400)
@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_categorical_losses_have_the_bits_of_their_definition(n, k, data):
    predictions, targets = probabilities(data.draw(matrices(n, k))), data.draw(matrices(n, k))
    one_hot = np.eye(k, dtype=np.float32)[data.draw(seeds).randint(0, k, n)]
    loss = CategoricalCrossentropy()
    for y in one_hot, targets, targets.astype(np.float64):
        found = outcome(compiled.categorical_losses, loss, predictions, y)
        assert found == outcome(loss.sample_losses, predictions, y)


@given(matrices(st.integers(1, 20), st.integers(1, 8)), seeds, not_finite, st.booleans())
def test_categorical_losses_refuse_nan_and_infinity_like_their_definition(a, draw, value, first):
    pair = [probabilities(a), np.ones_like(a)]
    pair[first] = spoiled(pair[first], draw, value)
    loss = CategoricalCrossentropy()
    found = outcome(compiled.categorical_losses, loss, *pair)
    assert found == outcome(loss.sample_losses, *pair)


def adam_step(gradient, momentum, cache, beta_1, beta_2, correction_1, correction_2, rate, epsilon):
    momentum[...] = beta_1 * momentum + (1 - beta_1) * gradient
    cache[...] = beta_2 * cache + (1 - beta_2) * gradient**2
    return -rate * (momentum / correction_1) / (np.sqrt(cache / correction_2) + epsilon)


@settings(max_examples=400)
@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.data(),
    st.tuples(*[st.floats(0, 1)] * 2, *[st.floats(1e-6, 1)] * 2, st.floats(0, 10), st.floats(0, 1)),
)
def test_a_step_of_adam_has_the_bits_of_its_definition(n, m, data, numbers):
    writeable = st.sampled_from([as_it_is, turned, strided, misaligned])
    gradient = data.draw(matrices(n, m))
    memory = data.draw(matrices(n, m, writeable)), abs(data.draw(matrices(n, m, writeable)))
    check_adam(gradient, memory, numbers)


@pytest.mark.parametrize("beta_1", [0, 0.5, 0.9, 0.99, 1])
@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.4, 0.6, 10])
@pytest.mark.parametrize("correction_1", [0.1, 0.5, 0.999, 1])
@pytest.mark.parametrize("epsilon", [0, 1e-7, 1e-45])
def test_a_momentum_at_rest_has_the_bits_of_its_definition(beta_1, rate, correction_1, epsilon):
    """Without a gradient it ends at a few times the smallest number, which has a way of its own."""
    sizes = np.arange(-12, 13) * TINY
    gradient, momentum, cache = np.meshgrid([0, -0.0, TINY, 1], sizes, [0, TINY, 1e-30, 1])
    momentum = np.where((momentum == 0) & (cache == 1), -momentum, momentum)  # a zero of either sign
    arrays = [np.float32(a.reshape(len(sizes), -1)) for a in (gradient, momentum, cache)]
    check_adam(arrays[0], arrays[1:], (beta_1, 0.999, correction_1, 0.5, rate, epsilon))


def check_adam(gradient, memory, numbers):
    found, expected = [a.copy() for a in memory], [a.copy() for a in memory]
    with np.errstate(all="ignore"):
        ours = compiled.adam_step(gradient, *found, *numbers)
        theirs = adam_step(gradient, *expected, *numbers)
    for a, b in zip([ours, *found], [theirs, *expected]):
        assert a.dtype == b.dtype == np.float32
        assert np.array_equal(np.isnan(a), np.isnan(b))
        assert np.where(np.isnan(a), 0, a).tobytes() == np.where(np.isnan(b), 0, b).tobytes()


# --- Compiling ------------------------------------------------------------------------------------


def test_whatever_comes_in_is_compiled_once():
    """Each layout that compiled anew would cost a reader seconds in the middle of a training."""
    functions = [f for f in vars(compiled).values() if hasattr(f, "signatures")]
    entries = [f for f in functions if f.stats.cache_path]  # the others are compiled into these
    assert entries
    assert {f.py_func.__name__: len(f.signatures) for f in entries if len(f.signatures) > 1} == {}


def in_a_fresh_process(code, cache, **environment):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)} | environment
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run


@pytest.mark.slow
def test_compiling_is_announced_once_and_kept(tmp_path):
    code = "from nnfs_book.arithmetic.compiled import warm_up; warm_up()"
    first, second = (in_a_fresh_process(code, tmp_path).stderr for _ in range(2))
    assert first.count("compiling its arithmetic") == 1 == len(first.splitlines())
    assert second == ""


@pytest.mark.slow
def test_no_kernel_reads_or_writes_out_of_bounds(tmp_path):
    """Compiled code checks no bounds; here it is compiled once so that it does."""
    run = "import pytest, sys; sys.exit(pytest.main([%r, '-q', '-n0', '-k', 'bits or refuses']))"
    in_a_fresh_process(run % __file__, tmp_path, NUMBA_BOUNDSCHECK="1")


@pytest.mark.parametrize("chosen", [{"NUMBA_CPU_NAME": "generic"}, {"NUMBA_CPU_FEATURES": "+sse2"}])
def test_the_width_of_vectors_is_left_to_who_chose_a_processor(tmp_path, chosen):
    code = "import nnfs_book.arithmetic.compiled, numba; print(numba.config.CPU_FEATURES)"
    assert "-prefer-256-bit" not in in_a_fresh_process(code, tmp_path, **chosen).stdout
