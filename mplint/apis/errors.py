"""Rows of the exceptions of the standard library: what each derives from, and which are built as their base is."""

from __future__ import annotations

from typing import Iterator

from mplint.apis import Alias, Kind, Row


def _below(base: str, names: str, *, plain: bool = True) -> Iterator[Kind]:
    for name in names.split():
        yield Kind(name=name, role="exception", bases=(base,), plain=plain)


def _other_names(of: str, names: str) -> Iterator[Kind]:
    for name in names.split():
        yield Kind(name=name, role="exception", same_as=of, same_since=(3, 0))


_EXCEPTION, _OS_ERROR, _VALUE_ERROR = "builtins.Exception", "builtins.OSError", "builtins.ValueError"

ROWS: tuple[Row, ...] = (
    *_other_names(_OS_ERROR, "os.error socket.error select.error resource.error"),
    *_other_names("builtins.RuntimeError", "threading.ThreadError"),
    *_other_names("builtins.BlockingIOError", "io.BlockingIOError"),
    Kind(name="socket.timeout", role="exception", bases=(_OS_ERROR,), same_as="builtins.TimeoutError", same_since=(3, 10)),
    *_below(_OS_ERROR, """
        socket.gaierror socket.herror shutil.Error shutil.SpecialFileError shutil.ReadError shutil.ExecError ssl.SSLError gzip.BadGzipFile
        http.cookiejar.LoadError smtplib.SMTPException signal.ItimerError"""),
    *_below("shutil.Error", "shutil.SameFileError"),
    *_below("ssl.SSLError", "ssl.SSLZeroReturnError ssl.SSLCertVerificationError"),
    Kind(name="io.UnsupportedOperation", role="exception", bases=(_OS_ERROR, _VALUE_ERROR)),
    *_below(_EXCEPTION, """
        shutil.RegistryError queue.Empty queue.Full asyncio.QueueEmpty asyncio.QueueFull subprocess.SubprocessError pickle.PickleError copy.Error
        struct.error binascii.Incomplete zlib.error lzma.LZMAError csv.Error sqlite3.Error sqlite3.Warning argparse.ArgumentTypeError
        zipfile.BadZipFile zipfile.LargeZipFile tarfile.TarError http.client.HTTPException http.cookies.CookieError ftplib.Error
        poplib.error_proto email.errors.MessageError xml.parsers.expat.ExpatError locale.Error termios.error curses.error _tkinter.TclError
        inspect.EndOfBlock unittest.SkipTest bdb.BdbQuit pdb.Restart tokenize.TokenError distutils.errors.DistutilsError uu.Error"""),
    *_below("pickle.PickleError", "pickle.PicklingError pickle.UnpicklingError"),
    *_below("sqlite3.Error", "sqlite3.DatabaseError sqlite3.InterfaceError"),
    *_below("sqlite3.DatabaseError", "sqlite3.OperationalError sqlite3.IntegrityError sqlite3.ProgrammingError sqlite3.DataError"),
    *_below("tarfile.TarError", "tarfile.ReadError tarfile.ExtractError tarfile.CompressionError tarfile.StreamError tarfile.HeaderError"),
    *_below("http.client.HTTPException", "http.client.NotConnected http.client.InvalidURL http.client.ImproperConnectionState"),
    *_below("http.client.ImproperConnectionState", "http.client.CannotSendRequest"),
    *_below("email.errors.MessageError", "email.errors.MessageParseError"),
    *_below("email.errors.MessageParseError", "email.errors.HeaderParseError"),
    *_below("distutils.errors.DistutilsError", "distutils.errors.DistutilsExecError"),
    *_below("builtins.SyntaxError", "xml.etree.ElementTree.ParseError"),
    *_below("builtins.ImportError", "zipimport.ZipImportError"),
    *_below("builtins.ArithmeticError", "decimal.DecimalException"),
    *_below("builtins.RuntimeError", "asyncio.SendfileNotAvailableError threading.BrokenBarrierError"),
    *_below("builtins.AttributeError", "dataclasses.FrozenInstanceError"),
    *_below("builtins.ModuleNotFoundError", "importlib.metadata.PackageNotFoundError"),
    *_below(_VALUE_ERROR, """
        binascii.Error statistics.StatisticsError ipaddress.AddressValueError ipaddress.NetmaskValueError graphlib.CycleError"""),
    *_below("decimal.DecimalException", "decimal.InvalidOperation"),
    Kind(name="decimal.DivisionByZero", role="exception", bases=("decimal.DecimalException", "builtins.ZeroDivisionError")),
    *_below("builtins.ExceptionGroup", "exceptiongroup.ExceptionGroup"),
    *_below("builtins.BaseExceptionGroup", "exceptiongroup.BaseExceptionGroup"),
    *_below("subprocess.SubprocessError", "subprocess.CalledProcessError subprocess.TimeoutExpired", plain=False),
    *_below(_VALUE_ERROR, "json.JSONDecodeError", plain=False),
    *_below(_EXCEPTION, "argparse.ArgumentError configparser.Error getopt.GetoptError re.error xml.sax.SAXException", plain=False),
    *_below(_OS_ERROR, "urllib.error.URLError", plain=False),
    *_below("urllib.error.URLError", "urllib.error.HTTPError", plain=False),
    Alias("ssl.CertificateError", "ssl.SSLCertVerificationError"),
    Alias("tkinter.TclError", "_tkinter.TclError"),
    Alias("zipfile.BadZipfile", "zipfile.BadZipFile"),
    Alias("zipfile.error", "zipfile.BadZipFile"),
    Alias("getopt.error", "getopt.GetoptError"),
    Alias("unittest.case.SkipTest", "unittest.SkipTest"),
    Alias("json.decoder.JSONDecodeError", "json.JSONDecodeError"),
    *(Alias(f"six.moves.{there}.*", f"{here}.*") for there, here in (
        ("http_client", "http.client"), ("queue", "queue"), ("configparser", "configparser"), ("cPickle", "pickle"),
        ("urllib.error", "urllib.error"), ("urllib_error", "urllib.error"), ("http_cookies", "http.cookies"))),
)  # fmt: skip
