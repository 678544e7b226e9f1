"""Classes: methods, inheritance, metaclasses, descriptors, dataclasses, enumerations, instances."""
# ruff: noqa: E501 - a program on one line shows its edit better than one on many

from __future__ import annotations

from tests.memo.fingerprint.mutations.case import Case, edited

CASES: list[Case] = [
    edited(
        "method",
        "class A:\n    def run(self): return 1\ndef f(x): return A().run()",
        "return 1",
        "return 2",
    ),
    edited(
        "constructor",
        "class A:\n    def __init__(self): self.n = 1\ndef f(x): return A().n",
        "self.n = 1",
        "self.n = 2",
    ),
    edited(
        "method called by a method",
        """
class A:
    def inner(self): return 1
    def run(self): return self.inner()
def f(x): return A().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "helper called by a method",
        "def helper(): return 1\nclass A:\n    def run(self): return helper()\ndef f(x): return A().run()",
        "return 1",
        "return 2",
    ),
    edited(
        "inherited method",
        """
class Base:
    def run(self): return 1
class A(Base): pass
def f(x): return A().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "method of a base class in another module",
        """
from base import Base
class A(Base): pass
def f(x): return A().run()
== base.py
class Root:
    def run(self): return 1
class Base(Root): pass
""",
        "return 1",
        "return 2",
    ),
    edited(
        "mixin",
        """
class Mixin:
    def run(self): return 1
class Base: pass
class A(Mixin, Base): pass
def f(x): return A().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "order of bases",
        """
class One:
    def run(self): return 1
class Two:
    def run(self): return 2
class A(One, Two): pass
def f(x): return A().run()
""",
        "A(One, Two)",
        "A(Two, One)",
    ),
    edited(
        "base class exchanged",
        """
class One:
    def run(self): return 1
class Two:
    def run(self): return 2
class A(One): pass
def f(x): return A().run()
""",
        "A(One)",
        "A(Two)",
    ),
    edited(
        "method reached through super",
        """
class Base:
    def run(self): return 1
class A(Base):
    def run(self): return super().run() + 1
def f(x): return A().run()
""",
        "return 1",
        "return 5",
    ),
    edited(
        "method taken from its class",
        """
class Base:
    def other(self): return 1
class A(Base):
    def run(self): return super().other()
run = A.run
def f(x): return run(A())
""",
        "return 1",
        "return 2",
    ),
    edited(
        "static method",
        "class A:\n    @staticmethod\n    def run(): return 1\ndef f(x): return A.run()",
        "return 1",
        "return 2",
    ),
    edited(
        "class method",
        "class A:\n    n = 1\n    @classmethod\n    def run(cls): return cls.n\ndef f(x): return A.run()",
        "n = 1",
        "n = 2",
    ),
    edited(
        "static method made a class method",
        "class A:\n    @staticmethod\n    def run(*a): return len(a)\ndef f(x): return A().run()",
        "staticmethod",
        "classmethod",
    ),
    edited(
        "property",
        "class A:\n    @property\n    def n(self): return 1\ndef f(x): return A().n",
        "return 1",
        "return 2",
    ),
    edited(
        "setter of a property",
        """
class A:
    @property
    def n(self): return self._n
    @n.setter
    def n(self, value): self._n = value + 1
def f(x):
    a = A()
    a.n = x
    return a.n
""",
        "value + 1",
        "value + 2",
    ),
    edited(
        "cached property",
        """
from functools import cached_property
class A:
    @cached_property
    def n(self): return 1
def f(x): return A().n
""",
        "return 1",
        "return 2",
    ),
    edited(
        "partial method",
        """
from functools import partialmethod
class A:
    def run(self, n): return n
    one = partialmethod(run, 1)
def f(x): return A().one()
""",
        "run, 1",
        "run, 2",
    ),
    edited(
        "single dispatch method",
        """
from functools import singledispatchmethod
class A:
    @singledispatchmethod
    def run(self, y): return 0
    @run.register
    def _(self, y: int): return 1
def f(x): return A().run(x)
""",
        "return 1",
        "return 2",
    ),
    edited(
        "descriptor",
        """
class Field:
    def __init__(self, n): self.n = n
    def __get__(self, instance, owner): return self.n
class A:
    n = Field(1)
def f(x): return A().n
""",
        "Field(1)",
        "Field(2)",
    ),
    edited(
        "code of a descriptor",
        """
class Field:
    def __get__(self, instance, owner): return 1
class A:
    n = Field()
def f(x): return A().n
""",
        "return 1",
        "return 2",
    ),
    edited(
        "name given to a descriptor",
        """
class Field:
    def __set_name__(self, owner, name): self.name = name + '1'
    def __get__(self, instance, owner): return self.name
class A:
    n = Field()
def f(x): return A().n
""",
        "'1'",
        "'2'",
    ),
    edited(
        "class attribute",
        "class A:\n    n = 1\n    def run(self): return self.n\ndef f(x): return A().run()",
        "n = 1",
        "n = 2",
    ),
    edited(
        "class attribute read from the class",
        "class Config:\n    N = 1\ndef f(x): return Config.N",
        "N = 1",
        "N = 2",
    ),
    edited(
        "inherited class attribute read from the class",
        "class Base:\n    N = 1\nclass Config(Base): pass\ndef f(x): return Config.N",
        "N = 1",
        "N = 2",
    ),
    edited(
        "class attribute of a nested class",
        "class A:\n    class B:\n        N = 1\ndef f(x): return A.B.N",
        "N = 1",
        "N = 2",
    ),
    edited(
        "method of a nested class",
        "class A:\n    class B:\n        def run(self): return 1\ndef f(x): return A.B().run()",
        "return 1",
        "return 2",
    ),
    edited(
        "class attribute shadowed by a subclass",
        "class Base:\n    N = 1\nclass Config(Base): pass\ndef f(x): return Config.N",
        "class Config(Base): pass",
        "class Config(Base):\n    N = 2",
    ),
    edited(
        "class attribute assigned after the class",
        "class A: pass\nA.n = 1\ndef f(x): return A().n",
        "A.n = 1",
        "A.n = 2",
    ),
    edited(
        "method assigned after the class",
        "class A: pass\ndef run(self): return 1\nA.run = run\ndef f(x): return A().run()",
        "return 1",
        "return 2",
    ),
    edited(
        "metaclass",
        """
class Meta(type):
    def __call__(cls, *args): return 1
class A(metaclass=Meta): pass
def f(x): return A()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "attribute on a metaclass",
        """
class Meta(type):
    @property
    def n(cls): return 1
class A(metaclass=Meta): pass
def f(x): return A.n
""",
        "return 1",
        "return 2",
    ),
    edited(
        "metaclass of a base",
        """
class Meta(type):
    def __getitem__(cls, key): return 1
class Base(metaclass=Meta): pass
class A(Base): pass
def f(x): return A[0]
""",
        "return 1",
        "return 2",
    ),
    edited(
        "__init_subclass__",
        """
class Base:
    def __init_subclass__(cls): cls.n = 1
class A(Base): pass
def f(x): return A.n
""",
        "cls.n = 1",
        "cls.n = 2",
    ),
    edited(
        "class registered by __init_subclass__",
        """
class Base:
    registry = {}
    def __init_subclass__(cls): Base.registry[cls.__name__] = cls
class A(Base):
    def run(self): return 1
def f(x): return Base.registry['A']().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "subclass found by __subclasses__",
        """
class Base: pass
class A(Base):
    def run(self): return 1
def f(x): return [c().run() for c in Base.__subclasses__()]
""",
        "return 1",
        "return 2",
    ),
    edited(
        "subclass added where __subclasses__ is asked",
        """
class Base: pass
class A(Base): pass
def f(x): return len(Base.__subclasses__())
""",
        "class A(Base): pass",
        "class A(Base): pass\nclass B(Base): pass",
    ),
    edited(
        "class decorator",
        """
def deco(cls):
    cls.n = 1
    return cls
@deco
class A: pass
def f(x): return A().n
""",
        "cls.n = 1",
        "cls.n = 2",
    ),
    edited(
        "class made by a function",
        """
def make(n):
    class A:
        def run(self): return n
    return A
B = make(1)
def f(x): return B().run()
""",
        "make(1)",
        "make(2)",
    ),
    edited(
        "class made by type",
        "def run(self): return 1\nA = type('A', (), {'run': run})\ndef f(x): return A().run()",
        "return 1",
        "return 2",
    ),
    edited(
        "class attribute that is an instance",
        """
class Engine:
    def __init__(self, n): self.n = n
class A:
    engine = Engine(1)
    def run(self): return self.engine.n
def f(x): return A().run()
""",
        "Engine(1)",
        "Engine(2)",
    ),
    edited(
        "class attribute that is a function",
        "def g(y): return y + 1\nclass A:\n    g = staticmethod(g)\ndef f(x): return A.g(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "class attribute that is another class",
        """
class Engine:
    def run(self): return 1
class A:
    engine = Engine
    def run(self): return self.engine().run()
def f(x): return A().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "__call__",
        "class A:\n    def __call__(self, y): return y + 1\na = A()\ndef f(x): return a(x)",
        "y + 1",
        "y + 2",
    ),
    edited(
        "__new__",
        """
class A:
    def __new__(cls):
        self = super().__new__(cls)
        self.n = 1
        return self
def f(x): return A().n
""",
        "self.n = 1",
        "self.n = 2",
    ),
    edited(
        "__getattr__ of a class",
        "class A:\n    def __getattr__(self, name): return name + '1'\ndef f(x): return A().q",
        "'1'",
        "'2'",
    ),
    edited(
        "operator overloaded by a class",
        """
class A:
    def __add__(self, other): return other + 1
a = A()
def f(x): return a + x
""",
        "other + 1",
        "other + 2",
    ),
    edited(
        "__slots__ with a method",
        """
class A:
    __slots__ = ('n',)
    def __init__(self): self.n = 1
    def run(self): return self.n
def f(x): return A().run()
""",
        "self.n = 1",
        "self.n = 2",
    ),
    edited(
        "iterator protocol",
        """
class A:
    def __iter__(self): return iter([1])
def f(x): return list(A())
""",
        "[1]",
        "[2]",
    ),
    edited(
        "context manager class",
        """
class A:
    def __enter__(self): return 1
    def __exit__(self, *args): pass
def f(x):
    with A() as a:
        return a
""",
        "return 1",
        "return 2",
    ),
    edited(
        "private method",
        """
class A:
    def __inner(self): return 1
    def run(self): return self.__inner()
def f(x): return A().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "default of a method",
        "class A:\n    def run(self, n=1): return n\ndef f(x): return A().run()",
        "n=1",
        "n=2",
    ),
    edited(
        "decorated method",
        """
def deco(g):
    def wrapper(self): return g(self) + 1
    return wrapper
class A:
    @deco
    def run(self): return 1
def f(x): return A().run()
""",
        "g(self) + 1",
        "g(self) + 2",
    ),
    edited(
        "abstract base class",
        """
from abc import ABC, abstractmethod
class Base(ABC):
    @abstractmethod
    def inner(self): ...
    def run(self): return self.inner() + 1
class A(Base):
    def inner(self): return 1
def f(x): return A().run()
""",
        "self.inner() + 1",
        "self.inner() + 2",
    ),
    edited(
        "generic class",
        """
from typing import Generic, TypeVar
T = TypeVar('T')
class Box(Generic[T]):
    def get(self): return 1
def f(x): return Box[int]().get()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "protocol class",
        """
from typing import Protocol
class Runs(Protocol):
    def run(self): return 1
class A(Runs): pass
def f(x): return A().run()
""",
        "return 1",
        "return 2",
    ),
    # Dataclasses, enumerations, named tuples
    edited(
        "default of a dataclass",
        """
from dataclasses import dataclass
@dataclass
class A:
    n: int = 1
def f(x): return A().n
""",
        "n: int = 1",
        "n: int = 2",
    ),
    edited(
        "default factory of a dataclass",
        """
from dataclasses import dataclass, field
def made(): return [1]
@dataclass
class A:
    n: list = field(default_factory=made)
def f(x): return A().n
""",
        "[1]",
        "[2]",
    ),
    edited(
        "order of a dataclass's fields",
        """
from dataclasses import dataclass
@dataclass
class A:
    a: int
    b: int
def f(x): return A(1, 2).a
""",
        "    a: int\n    b: int",
        "    b: int\n    a: int",
    ),
    edited(
        "options of a dataclass",
        """
from dataclasses import dataclass
@dataclass(eq=True)
class A:
    n: int = 1
def f(x): return A() == A()
""",
        "eq=True",
        "eq=False",
    ),
    edited(
        "__post_init__ of a dataclass",
        """
from dataclasses import dataclass
@dataclass
class A:
    n: int = 1
    def __post_init__(self): self.n += 1
def f(x): return A().n
""",
        "self.n += 1",
        "self.n += 2",
    ),
    edited(
        "inherited field of a dataclass",
        """
from dataclasses import dataclass
@dataclass
class Base:
    n: int = 1
@dataclass
class A(Base):
    m: int = 5
def f(x): return A().n
""",
        "n: int = 1",
        "n: int = 2",
    ),
    edited(
        "field left out of the comparison",
        """
from dataclasses import dataclass, field
@dataclass
class A:
    n: int = field(default=1, compare=True)
def f(x): return A(1) == A(2)
""",
        "compare=True",
        "compare=False",
    ),
    edited(
        "class variable of a dataclass",
        """
from dataclasses import dataclass
from typing import ClassVar
@dataclass
class A:
    n: ClassVar[int] = 1
    m: int = 2
def f(x): return len(A.__dataclass_fields__), repr(A())
""",
        "n: ClassVar[int] = 1",
        "n: int = 1",
    ),
    edited(
        "metadata of a dataclass's field",
        """
from dataclasses import dataclass, field, fields
@dataclass
class A:
    n: int = field(default=1, metadata={'unit': 'ms'})
def f(x): return fields(A)[0].metadata['unit']
""",
        "'ms'",
        "'s'",
    ),
    edited(
        "dataclass made by a function call",
        """
from dataclasses import make_dataclass
def run(self): return self.n + 1
A = make_dataclass('A', [('n', int)], namespace={'run': run})
def f(x): return A(x).run()
""",
        "self.n + 1",
        "self.n + 2",
    ),
    edited(
        "member of an enumeration",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n    B = 5\ndef f(x): return C.A.value",
        "A = 1",
        "A = 2",
    ),
    edited(
        "order of an enumeration",
        """
from enum import Enum
class C(Enum):
    A = 1
    B = 2
def f(x): return [c.name for c in C]
""",
        "    A = 1\n    B = 2",
        "    B = 2\n    A = 1",
    ),
    edited(
        "method of an enumeration",
        """
from enum import Enum
class C(Enum):
    A = 1
    def run(self): return self.value + 1
def f(x): return C.A.run()
""",
        "self.value + 1",
        "self.value + 2",
    ),
    edited(
        "automatic value of a member",
        """
from enum import IntEnum, auto
class C(IntEnum):
    A = auto()
    B = auto()
def f(x): return int(C.B)
""",
        "    A = auto()\n",
        "    A = auto()\n    Z = auto()\n",
    ),
    edited(
        "member held in a constant",
        """
from enum import Enum
class C(Enum):
    A = 1
    B = 2
MODE = C.A
def f(x): return MODE.name
""",
        "MODE = C.A",
        "MODE = C.B",
    ),
    edited(
        "flags",
        """
from enum import Flag
class P(Flag):
    R = 1
    W = 2
MODE = P.R | P.W
def f(x): return bool(MODE & P.W)
""",
        "P.R | P.W",
        "P.R",
    ),
    edited(
        "default of a named tuple",
        "from typing import NamedTuple\nclass A(NamedTuple):\n    n: int = 1\ndef f(x): return A().n",
        "n: int = 1",
        "n: int = 2",
    ),
    edited(
        "method of a named tuple",
        """
from typing import NamedTuple
class A(NamedTuple):
    n: int
    def run(self): return self.n + 1
def f(x): return A(x).run()
""",
        "self.n + 1",
        "self.n + 2",
    ),
    edited(
        "fields of a named tuple",
        """
from collections import namedtuple
A = namedtuple('A', 'a b')
def f(x): return A(1, 2).a
""",
        "'a b'",
        "'b a'",
    ),
    # Instances
    edited(
        "state of an instance",
        """
class A:
    def __init__(self, n): self.n = n
    def run(self): return self.n
a = A(1)
def f(x): return a.run()
""",
        "A(1)",
        "A(2)",
    ),
    edited(
        "attribute of an instance",
        "class A: pass\na = A()\na.n = 1\ndef f(x): return a.n",
        "a.n = 1",
        "a.n = 2",
    ),
    edited(
        "attribute of an instance that its class provides",
        "class A:\n    n = 1\na = A()\ndef f(x): return a.n",
        "n = 1",
        "n = 2",
    ),
    edited(
        "instance inside an instance",
        """
class A:
    def __init__(self, inner): self.inner = inner
a = A(A(1))
def f(x): return a.inner.inner
""",
        "A(A(1))",
        "A(A(2))",
    ),
    edited(
        "class of an instance in a list",
        """
class A:
    def run(self): return 1
ALL = [A()]
def f(x): return [a.run() for a in ALL]
""",
        "return 1",
        "return 2",
    ),
    edited(
        "instance with slots",
        """
class A:
    __slots__ = ('n',)
    def __init__(self, n): self.n = n
a = A(1)
def f(x): return a.n
""",
        "A(1)",
        "A(2)",
    ),
    edited(
        "instance with a lock beside its state",
        """
import threading
class A:
    def __init__(self, n):
        self.n = n
        self.lock = threading.Lock()
    def run(self):
        with self.lock:
            return self.n
a = A(1)
def f(x): return a.run()
""",
        "A(1)",
        "A(2)",
    ),
    edited(
        "instance of a subclass of list",
        "class L(list):\n    def total(self): return sum(self)\nv = L([1])\ndef f(x): return v.total()",
        "L([1])",
        "L([2])",
    ),
    edited(
        "instance of a subclass of dict",
        """
class D(dict):
    def __missing__(self, key): return 1
d = D()
def f(x): return d[x]
""",
        "return 1",
        "return 2",
    ),
    edited(
        "exception class",
        """
class Oops(Exception):
    code = 1
def f(x):
    try:
        raise Oops
    except Oops as error:
        return error.code
""",
        "code = 1",
        "code = 2",
    ),
    edited(
        "class nested in the function",
        """
def f(x):
    class A:
        def run(self): return 1
    return A().run()
""",
        "return 1",
        "return 2",
    ),
    edited(
        "dataclass nested in the function",
        """
from dataclasses import dataclass
def f(x):
    @dataclass
    class A:
        a: int
        b: int
    return A(1, 2).a
""",
        "        a: int\n        b: int",
        "        b: int\n        a: int",
    ),
    edited(
        "base of a class nested in the function",
        """
class Base:
    def run(self): return 1
def f(x):
    class A(Base): pass
    return A().run()
""",
        "return 1",
        "return 2",
    ),
]
