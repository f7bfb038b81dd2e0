"""Constructors of widely derived library exceptions, for when no environment is there to read them from.

Each source says how the class passes its arguments on and what it stores; methods that take no part in pickling are left out.
"""

from __future__ import annotations

SOURCES: dict[str, str] = {
    "click": """
class ClickException(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.message = message

class UsageError(ClickException):
    def __init__(self, message, ctx=None):
        super().__init__(message)
        self.ctx = ctx

class BadParameter(UsageError):
    def __init__(self, message, ctx=None, param=None, param_hint=None):
        super().__init__(message, ctx)
        self.param = param
        self.param_hint = param_hint

class Abort(RuntimeError):
    pass
""",
    "requests": """
class RequestException(OSError):
    def __init__(self, *args, **kwargs):
        self.response = kwargs.pop("response", None)
        self.request = kwargs.pop("request", None)
        super().__init__(*args, **kwargs)

class HTTPError(RequestException):
    pass

class ConnectionError(RequestException):
    pass

class Timeout(RequestException):
    pass

class InvalidURL(RequestException, ValueError):
    pass
""",
    "httpx": """
class HTTPError(Exception):
    def __init__(self, message):
        super().__init__(message)
        self._request = None

class RequestError(HTTPError):
    def __init__(self, message, *, request=None):
        super().__init__(message)
        if request:
            self._request = request

class TransportError(RequestError):
    pass

class TimeoutException(TransportError):
    pass

class HTTPStatusError(HTTPError):
    def __init__(self, message, *, request, response):
        super().__init__(message)
        self.request = request
        self.response = response
""",
    "urllib3": """
class HTTPError(Exception):
    pass

class PoolError(HTTPError):
    def __init__(self, pool, message):
        self.pool = pool
        super().__init__(f"{pool}: {message}")

    def __reduce__(self):
        return self.__class__, (None, None)
""",
    "werkzeug": """
class HTTPException(Exception):
    code = None
    description = None

    def __init__(self, description=None, response=None):
        super().__init__()
        if description is not None:
            self.description = description
        self.response = response

class BadRequest(HTTPException):
    pass

class NotFound(HTTPException):
    pass
""",
    "starlette": """
class HTTPException(Exception):
    def __init__(self, status_code, detail=None, headers=None):
        self.status_code = status_code
        self.detail = detail
        self.headers = headers
""",
    "fastapi": """
class HTTPException(Exception):
    def __init__(self, status_code, detail=None, headers=None):
        self.status_code = status_code
        self.detail = detail
        self.headers = headers
""",
    "marshmallow": """
class MarshmallowError(Exception):
    pass

class ValidationError(MarshmallowError):
    def __init__(self, message, field_name="_schema", data=None, valid_data=None, **kwargs):
        self.messages = [message] if isinstance(message, (str, bytes)) else message
        self.field_name = field_name
        self.data = data
        self.valid_data = valid_data
        self.kwargs = kwargs
        super().__init__(message)
""",
    "rest_framework": """
class APIException(Exception):
    def __init__(self, detail=None, code=None):
        self.detail = detail
""",
    "jinja2": """
class TemplateError(Exception):
    def __init__(self, message=None):
        super().__init__(message)
""",
    "django": """
class ImproperlyConfigured(Exception):
    pass

class ObjectDoesNotExist(Exception):
    pass

class PermissionDenied(Exception):
    pass

class SuspiciousOperation(Exception):
    pass

class CommandError(Exception):
    def __init__(self, *args, returncode=1, **kwargs):
        self.returncode = returncode
        super().__init__(*args, **kwargs)
""",
    "redis": "class RedisError(Exception):\n    pass\n\nclass ConnectionError(RedisError):\n    pass\n\nclass ResponseError(RedisError):\n    pass\n",
    "yaml": "class YAMLError(Exception):\n    pass\n",
    "pymongo": "class PyMongoError(Exception):\n    pass\n",
    "kombu": "class KombuError(Exception):\n    pass\n",
    "aiohttp": "class ClientError(Exception):\n    pass\n",
    "grpc": "class RpcError(Exception):\n    pass\n",
    "traitlets": "class TraitError(Exception):\n    pass\n",
    "psycopg2": "class Error(Exception):\n    pass\n\nclass DatabaseError(Error):\n    pass\n\nclass OperationalError(DatabaseError):\n    pass\n",
    "paramiko": "class SSHException(Exception):\n    pass\n",
    "pyparsing": """
class ParseBaseException(Exception):
    def __init__(self, pstr, loc=0, msg=None, elem=None):
        if msg is None:
            msg, pstr = pstr, ""
        self.loc = loc
        self.msg = msg
        self.pstr = pstr
        self.parser_element = elem
        self.args = (pstr, loc, msg)
""",
}
