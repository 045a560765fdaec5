"""/v1/servers, /v1/sync, /v1/conflicts."""

from flask_smorest import Blueprint

blueprint = Blueprint("sync", "sync", url_prefix="/v1")
