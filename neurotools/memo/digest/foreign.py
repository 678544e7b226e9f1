"""Types of libraries -> plain values that say the same. Not here: the standard library (`plain`).

Subclasses inherit the rules. No library is imported before somebody uses one of its values. What a
rule returns holds content only: no caches, and nothing of how memory happens to be laid out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from neurotools.memo.digest import generators
from neurotools.memo.digest.plain import attributes

Rule = Callable[[Any], Any]
Rules = dict[type, Rule]


# -- numpy


def _numpy(random: Any) -> Rules:
    return {
        random.Generator: attributes("bit_generator"),
        random.RandomState: _random_state,
        random.BitGenerator: _bit_generator,
        random.SeedSequence: lambda value: dict(value.state),
        np.vectorize: attributes("pyfunc", "otypes", "excluded", "signature", "cache"),
    }


def _random_state(value: Any) -> Any:
    return generators.shared(value) or value.get_state(legacy=False)


def _bit_generator(value: Any) -> Any:
    # Generators in the same state have other children if they were seeded otherwise. (Before
    # numpy 2, a seed does not survive pickle, and a copy counts as another generator.)
    return {"state": value.state, "seed": getattr(value, "_seed_seq", None)}


# -- pandas


def _pandas(pd: Any) -> Rules:
    return {
        pd.DataFrame: _frame,
        pd.Series: _series,
        pd.Index: _index,
        pd.RangeIndex: attributes("start", "stop", "step", "name"),
        pd.MultiIndex: _multi_index,
        pd.Categorical: attributes("codes", "dtype"),
        **dict.fromkeys([pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray], _times),
        pd.arrays.PeriodArray: attributes("asi8", "dtype"),
        pd.arrays.IntervalArray: attributes("left", "right", "closed"),
        pd.arrays.SparseArray: _sparse_array,
        _numpy_extension_array(pd.arrays): _extended_array,
        **dict.fromkeys(_masked_arrays(pd), _masked_array),
        pd.api.extensions.ExtensionArray: _extension_array,
        pd.api.extensions.ExtensionDtype: _extension_dtype,
        pd.StringDtype: lambda value: (value.storage, value.na_value),
        pd.Timestamp: lambda value: (value.asm8, value.tz, value.fold),
        pd.Timedelta: lambda value: value.asm8,
        pd.Period: attributes("ordinal", "freqstr"),
        pd.Interval: attributes("left", "right", "closed"),
        type(pd.NaT): lambda value: (),  # noqa: ARG005 - there is but one
        type(pd.NA): lambda value: (),  # noqa: ARG005
    }


def _numpy_extension_array(arrays: Any) -> Any:
    # Its former name warns where both exist.
    found = getattr(arrays, "NumpyExtensionArray", None)
    return arrays.PandasArray if found is None else found


def _masked_arrays(pd: Any) -> list[type]:
    names = "BooleanArray", "IntegerArray", "FloatingArray"
    return [getattr(pd.arrays, name) for name in names]


#: What frames keep in their dictionaries besides their users' attributes.
_OF_FRAMES = frozenset(
    {
        *("_attrs", "_cacher", "_flags", "_index", "_is_copy", "_item_cache", "_metadata", "_mgr"),
        *("_name", "_typ"),
    }
)


def _frame(value: Any) -> Any:
    # The public ways to the columns are slow for wide frames, and leave a cache behind.
    columns = list(value._iter_column_arrays())
    return {"columns": value.columns, "index": value.index, "values": columns} | _notes(value)


def _series(value: Any) -> Any:
    return {"name": value.name, "index": value.index, "values": value.array} | _notes(value)


def _notes(value: Any) -> dict[str, Any]:
    extra = {name: part for name, part in vars(value).items() if name not in _OF_FRAMES}
    return {"attrs": value.attrs, "unique": value.flags.allows_duplicate_labels, "extra": extra}


def _index(value: Any) -> Any:
    # The frequency belongs to the array or to the index, depending on the version.
    frequency = getattr(value, "freq", None)
    return {"values": value.array, "names": list(value.names), "freq": frequency}


def _multi_index(value: Any) -> Any:
    codes = [np.asarray(codes) for codes in value.codes]
    return {"levels": list(value.levels), "codes": codes, "names": list(value.names)}


def _times(value: Any) -> Any:
    return {"values": value.asi8, "dtype": value.dtype, "freq": getattr(value, "freq", None)}


def _extended_array(value: Any) -> Any:
    return {"values": value.to_numpy(), "dtype": value.dtype}


def _sparse_array(value: Any) -> Any:
    positions = value.sp_index.to_int_index().indices
    return {"values": value.sp_values, "positions": positions, "size": len(value), "d": value.dtype}


def _masked_array(value: Any) -> Any:
    # Where a value is missing, the memory holds whatever was there.
    found = np.where(value._mask, value.dtype.type(0), value._data)
    return {"values": found, "missing": value._mask}


def _extension_array(value: Any) -> Any:
    return {"values": np.asarray(value, dtype=object), "dtype": value.dtype}


def _extension_dtype(value: Any) -> Any:
    parts = {name: getattr(value, name) for name in value._metadata}
    return {"name": str(value)} | {f"{name} ": part for name, part in parts.items()}


# -- scipy


def _scipy(sparse: Any) -> Rules:
    return {
        getattr(sparse, f"{layout}_{kind}"): rule
        for layout, rule in _SPARSE.items()
        for kind in ("matrix", "array")
        if hasattr(sparse, f"{layout}_{kind}")
    }


def _coordinates(value: Any) -> Any:
    places = value.coords if hasattr(value, "coords") else (value.row, value.col)
    return {"shape": value.shape, "data": value.data, "coords": tuple(places)}


#: Layout of a sparse matrix -> rule. Explicit zeros and the order of indices count: they show.
_SPARSE: dict[str, Rule] = {
    **dict.fromkeys(["bsr", "csc", "csr"], attributes("shape", "data", "indices", "indptr")),
    "coo": _coordinates,
    "dia": attributes("shape", "data", "offsets"),
    "dok": lambda value: (value.shape, value.dtype, dict(value.items())),
    "lil": attributes("shape", "dtype", "rows", "data"),
}


# -- nibabel


def _nibabel(nibabel: Any) -> Rules:
    return {
        nibabel.dataobj_images.DataobjImage: _image,
        nibabel.arrayproxy.ArrayProxy: _image_data,
        nibabel.wrapstruct.WrapStruct: _header,
    }


def _image(value: Any) -> Any:
    parts = {"header": value.header, "data": _stored(value.dataobj), "extra": value.extra}
    parts |= {name: getattr(value, name, None) for name in ("affine", "nifti_header")}
    return parts | {"changed": _changed_data(value)}


def _stored(data: Any) -> Any:
    # This proxy says what its file holds without scaling, which costs memory. Others have more to
    # them, and some keep the file open.
    return data if type(data).__module__ == "nibabel.arrayproxy" else np.asanyarray(data)


def _changed_data(image: Any) -> Any:
    """Return the floating-point data that an image hands out, if somebody wrote to it."""
    handed_out = getattr(image, "_fdata_cache", None)
    if handed_out is None:
        return None
    stored = np.asanyarray(image.dataobj, dtype=handed_out.dtype)
    return None if np.array_equal(handed_out, stored, equal_nan=True) else handed_out


def _image_data(value: Any) -> Any:
    if (data := _stored(value)) is not value:
        return {"data": data}
    return {"raw": value.get_unscaled(), "slope": value.slope, "intercept": value.inter}


def _header(value: Any) -> Any:
    found = getattr(value, "extensions", ())
    extensions = [(type(part), part.get_code(), part.get_content()) for part in found]
    return {"fields": value.structarr, "extensions": extensions}


# -- xarray


def _xarray(xarray: Any) -> Rules:
    return {
        xarray.Variable: _variable,
        xarray.DataArray: lambda value: (value.name, value.variable, _variables(value.coords)),
        xarray.Dataset: _dataset,
    }


def _variable(value: Any) -> Any:
    if value.chunks is not None:
        raise TypeError("it is not computed yet; load() it first")
    parts = {name: getattr(value, name) for name in ("attrs", "encoding")}
    return parts | {"dims": tuple(value.dims), "values": value.values}


def _variables(mapping: Any) -> dict[Any, Any]:
    return {name: item.variable for name, item in mapping.items()}


def _dataset(value: Any) -> Any:
    parts = {"variables": dict(value.variables), "coords": set(value.coords)}
    return parts | {name: getattr(value, name) for name in ("attrs", "encoding")}


# -- mne


def _mne(io: Any) -> Rules:
    return {io.BaseRaw: _raw}


def _raw(value: Any) -> Any:
    if not value.preload:
        raise TypeError("its samples are still in a file; call load_data() first")
    return dict(vars(value))


# -- torch


def _torch(torch: Any) -> Rules:
    return {torch.Tensor: _tensor, torch.Generator: _torch_generator}


def _tensor(value: Any) -> Any:
    torch = sys.modules["torch"]
    if value.layout is not torch.strided or value.is_quantized:
        raise TypeError(f"a tensor in layout {value.layout} has no plain content")
    dense = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
    return {
        "raw": dense.reshape(-1).view(torch.uint8).numpy(),
        "gradient": value.grad if value.is_leaf else None,
        **{name: str(getattr(value, name)) for name in ("dtype", "device", "requires_grad")},
        "shape": tuple(value.shape),
        "extra": dict(vars(value)),
    }


def _torch_generator(value: Any) -> Any:
    return str(value.device), value.get_state()


#: Top-level package -> the module that has its types, and their rules.
_LIBRARIES: dict[str, tuple[str, Callable[[Any], Rules]]] = {
    "numpy": ("numpy.random", _numpy),
    "pandas": ("pandas", _pandas),
    "scipy": ("scipy.sparse", _scipy),
    "nibabel": ("nibabel", _nibabel),
    "xarray": ("xarray", _xarray),
    "mne": ("mne.io", _mne),
    "torch": ("torch", _torch),
}

_rules: Rules = {}
_asked: set[str] = set()


def rule(cls: type) -> Rule | None:
    """Return the rule for a type of a library, if there is one."""
    # Classes made by Cython have something else there.
    library = str(cls.__module__).partition(".")[0]
    if library in _LIBRARIES and library not in _asked:
        module, rules = _LIBRARIES[library]
        if module in sys.modules:
            _rules.update(rules(sys.modules[module]))
            _asked.add(library)
    return _rules.get(cls)
