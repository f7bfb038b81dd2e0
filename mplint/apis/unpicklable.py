"""Objects of libraries that pickle refuses: by class, and by the calls and attributes that give them.

Each was pickled by `multiprocessing.reduction.ForkingPickler` on CPython 3.10 and 3.13, those of third parties in their release of 2026.
"""

from __future__ import annotations

GIVES = {
    "builtins.open": "io.TextIOWrapper", "io.open": "io.TextIOWrapper", "codecs.open": "codecs.StreamReaderWriter", "gzip.open": "gzip.GzipFile",
    "sqlite3.connect": "sqlite3.Connection", "csv.writer": "csv.writer", "weakref.ref": "weakref.ref", "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop", "asyncio.get_running_loop": "asyncio.AbstractEventLoop", "threading.local": "threading.local",
    "tempfile.NamedTemporaryFile": "io.TextIOWrapper", "tempfile.TemporaryFile": "io.TextIOWrapper", "mmap.mmap": "mmap.mmap",
    "ssl.create_default_context": "ssl.SSLContext", "boto3.client": "boto3.client", "boto3.resource": "boto3.resource",
    "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "bz2.open": "bz2.BZ2File", "lzma.open": "lzma.LZMAFile", "tarfile.open": "tarfile.TarFile", "csv.reader": "csv.reader", "hashlib.new": "hashlib.HASH",
    "hashlib.md5": "hashlib.HASH", "hashlib.sha1": "hashlib.HASH", "hashlib.sha256": "hashlib.HASH", "hashlib.sha512": "hashlib.HASH",
    "lmdb.open": "lmdb.Environment", "grpc.insecure_channel": "grpc.Channel", "grpc.secure_channel": "grpc.Channel",
}  # fmt: skip
"""What calls give whose names do not say that they make an object of a class."""

_FILE, _LOCK, _CONNECTION = "an open file", "a lock", "a connection"

REFUSED = {
    "io.TextIOWrapper": _FILE, "gzip.GzipFile": _FILE, "zipfile.ZipFile": _FILE, "codecs.StreamReaderWriter": _FILE, "mmap.mmap": "a memory map",
    "sqlite3.Connection": _CONNECTION, "csv.writer": "a `csv.writer`", "weakref.ref": "a weak reference", "weakref.WeakKeyDictionary": "a weak dictionary",
    "weakref.WeakValueDictionary": "a weak dictionary", "asyncio.AbstractEventLoop": "an event loop", "threading.local": "a `threading.local`",
    "contextvars.ContextVar": "a `ContextVar`", "ssl.SSLContext": "an `SSLContext`", "subprocess.Popen": "a `Popen`", "argparse.ArgumentParser": "an `ArgumentParser`",
    "logging.StreamHandler": "a log handler", "logging.FileHandler": "a log handler", "logging.Handler": "a log handler",
    "logging.handlers.RotatingFileHandler": "a log handler", "logging.handlers.TimedRotatingFileHandler": "a log handler", "logging.handlers.QueueHandler": "a log handler",
    "boto3.client": "a client of boto3", "boto3.resource": "a resource of boto3", "boto3.Session": "a session of boto3", "boto3.session.Session": "a session of boto3",
    "sqlalchemy.Engine": "a database engine", "redis.Redis": "a client of redis", "redis.StrictRedis": "a client of redis", "redis.client.Redis": "a client of redis",
    "redis.asyncio.Redis": "a client of redis",
    "redis.ConnectionPool": "connections to redis", "pymongo.MongoClient": "a client of MongoDB", "pymongo.mongo_client.MongoClient": "a client of MongoDB",
    "rich.progress.Progress": "a progress bar", "rich.console.Console": "a `Console` with its lock", "h5py.File": "an open HDF5 file",
    "netCDF4.Dataset": "an open dataset", "zmq.Context": "a context of ZeroMQ", "grpc.Channel": "a channel of gRPC", "lmdb.Environment": "an LMDB environment",
    "bz2.BZ2File": _FILE, "lzma.LZMAFile": _FILE, "tarfile.TarFile": _FILE, "csv.reader": "a `csv.reader`", "csv.DictReader": "a `csv.DictReader`",
    "csv.DictWriter": "a `csv.DictWriter`", "hashlib.HASH": "a hash object", "selectors.DefaultSelector": "a selector",
    "psutil.Process": "a `psutil.Process`", "pysam.AlignmentFile": _FILE, "pysam.FastaFile": _FILE, "pysam.VariantFile": _FILE, "cv2.VideoCapture": "a video capture",
    "cv2.VideoWriter": "a video writer", "httpx.Client": "a client of httpx", "httpx.AsyncClient": "a client of httpx", "elasticsearch.Elasticsearch": "a client of Elasticsearch",
    "redis.Redis.connection_pool": "connections to redis", "redis.Redis.connection_pool.connection_kwargs": "arguments of a live redis client, which hold a lock",
}  # fmt: skip
"""Why pickle refuses an instance of the class, or what stands in the attribute: what it is."""

PLACES = {"sys.stdin": _FILE, "sys.stdout": _FILE, "sys.stderr": _FILE, "sys.__stdout__": _FILE, "sys.__stderr__": _FILE}
"""What is no call's result and refused all the same: attributes of modules."""

ROLES = {"pool": "a pool", "executor": "an executor", "async-result": "the result of a task", "future": "a future", "manager": "a manager", "thread": "a thread", "popen": "a `Popen`"}
"""The same for the classes that the API table knows, by their role."""

TRAVELLING = frozenset({"multiprocessing.managers.PoolProxy"})
"""Classes of such a role that pickle takes: proxies of what a manager's process has."""

GUARDED = {"lock": "lock", "event": "event", "barrier": "barrier", "queue": "queue", "simple-queue": "queue", "shared-value": "shared value"}
"""Roles whose objects of threads pickle always refuses, and those of processes as long as no process is being started."""
