"""/v1/records: the records of the store, one by one, with ETag and If-Match."""

from flask_smorest import Blueprint

blueprint = Blueprint("records", "records", url_prefix="/v1")
