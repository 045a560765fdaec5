"""What the name of a provider's field suggests: words that intake forms use, and those of the core pack."""

from __future__ import annotations

import re
from typing import NamedTuple


class Place(NamedTuple):
    """A FHIR place that a name suggests, and which types of value it takes."""

    fhir: str
    types: tuple[str, ...] = ("text",)


# Normalised names → where in a Patient. https://hl7.org/fhir/R4/patient.html
_PATIENT = {
    "lastname surname familyname family": Place("name[use=official].family"),
    "firstname givenname forename given": Place("name[use=official].given[!]"),
    "name fullname clientname patientname": Place("name[use=official].text"),
    "phone phonenumber telephone mobile cell": Place("telecom[system=phone].value"),
    "email emailaddress mail": Place("telecom[system=email].value"),
    "dob birthdate dateofbirth birthday": Place("birthDate", ("date",)),
    "street address addressline address1": Place("address[use=home].line[!]"),
    "city town": Place("address[use=home].city"),
    "state": Place("address[use=home].state"),
    "zip zipcode postalcode postcode": Place("address[use=home].postalCode"),
    "country": Place("address[use=home].country"),
}
PATIENT = {name: place for names, place in _PATIENT.items() for name in names.split()}
SEX = frozenset("sex gender administrativesex".split())
# How providers write FHIR's four codes; a set of these that holds all that was seen.
SEXES = (
    {"male": "male", "female": "female", "other": "other", "unknown": "unknown"},
    {"M": "male", "F": "female", "O": "other", "U": "unknown"},
    {"m": "male", "f": "female", "o": "other", "u": "unknown"},
    {"Male": "male", "Female": "female", "Other": "other", "Unknown": "unknown"},
)
_RESPONSE = {
    "date intakedate intakedt assessmentdate assessedon completedon completedat createdat created visitdate admissiondate "
    "admitted dateofadmission dateofassessment": Place("authored", ("date", "dateTime")),
}
RESPONSE = {name: place for names, place in _RESPONSE.items() for name in names.split()}
AUTHOR = frozenset("counselor counsellor clinician interviewer provider author therapist assessor assessedby".split())
IDS = (
    "id",
    "uuid",
    "mrn",
    "clientno",
    "clientid",
    "patientid",
    "recordid",
    "caseno",
    "caseid",
    "intakeid",
    "number",
    "no",
)
NO_NUMBERS = frozenset(
    "phone phonenumber telephone mobile cell zip zipcode postalcode postcode ssn code".split()
) | set(IDS)


def plain(name: str) -> str:
    """A name as it is compared: letters and digits alone, in small letters."""
    return re.sub(r"[\W_]", "", name).lower()


def words(name: str) -> str:
    """A name as people read it: `age_first_use` → Age first use."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").strip()
    return (spaced[:1].upper() + spaced[1:]) or name


def core_map(name: str, maps: list[str]) -> str:
    """The ConceptMap of core that a name speaks of, or nothing."""
    singular = plain(name).rstrip("s")
    found = [each for each in maps if plain(each).rstrip("s") == singular]
    ending = [
        each for each in maps if len(singular) > 4 and plain(each).rstrip("s") in (singular[-len(plain(each)) :], "")
    ]
    return next(iter(found + ending), "")
