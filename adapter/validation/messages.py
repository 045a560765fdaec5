"""Every message that the validator can give: its stable id, severity, issue type and sentence.

The sentence names elements, types, keys and definitions; it never holds a value from the data. docs/validation-messages.md
is made from this table.
"""

from __future__ import annotations

from typing import NamedTuple

from adapter.issues import Severity


class Message(NamedTuple):
    """`code` is from https://hl7.org/fhir/R4/valueset-issue-type.html.

    A `quirk` is a fault for the reference alone, and is said only where it is followed.
    """

    severity: Severity
    code: str
    text: str
    quirk: bool = False


def _error(code: str, text: str) -> Message:
    return Message("error", code, text)


def _warning(code: str, text: str) -> Message:
    return Message("warning", code, text)


def _note(code: str, text: str) -> Message:
    return Message("information", code, text)


def _quirk(code: str, text: str) -> Message:
    return Message("error", code, text, quirk=True)


_STRUCTURE = {
    "resource-not-object": Message("fatal", "structure", "A resource is a JSON object."),
    "resource-type-missing": Message("fatal", "structure", "resourceType is missing or not a string."),
    "resource-type-unknown": Message("fatal", "structure", "resourceType is not a resource of FHIR {version}."),
    "issues-too-many": Message("fatal", "too-costly", "There are too many issues; the rest is not told."),
    "resource-too-deep": Message("fatal", "too-long", "The resource nests too deeply to be checked."),
    "element-unknown": _error("structure", "{type} has no element {name}.{nearest}"),
    "element-missing": _error("required", "{name} is required in {type}."),
    "element-too-many": _error("structure", "{name} may occur at most {max} times."),
    "element-too-few": _error("required", "{name} must occur at least {min} times."),
    "element-not-list": _error("structure", "{name} may repeat: its value is a JSON array."),
    "element-is-list": _error("structure", "{name} does not repeat: its value is not a JSON array."),
    "element-not-object": _error("structure", "A value of type {type} is a JSON object."),
    "element-null": _error("structure", "null stands only in an array whose extensions stand beside it."),
    "object-empty": _error("structure", "An element has a value, children or an extension."),
    "array-empty-primitive": _error("structure", "An array is not empty; leave the property out."),
    "array-empty": _error("structure", "An array is not empty; leave the property out."),
    "choice-twice": _error("structure", "{name} may be given in one type only."),
    "sibling-not-primitive": _error("structure", "{name} is not a primitive element, so it has no property with _."),
    "sibling-list": _error("structure", "The extensions of {name} are an array exactly where its values are."),
    "sibling-longer": _warning("structure", "The arrays of {name} and its extensions do not have the same length."),
    "primitive-not-string": _error("invalid", "The value is a JSON string."),
    "primitive-not-boolean": _error("invalid", "The value is true or false, without quotes."),
    "primitive-not-number": _error("invalid", "The value is a JSON number."),
    "primitive-empty": _error("invalid", "A value is not empty."),
    "primitive-blank": _warning("invalid", "A text has something in it that is not blank."),
    "primitive-only-blanks": _error("invalid", "A value is not blank."),
    "primitive-too-long": _error("too-long", "The value is longer than 1,048,576 characters."),
    "primitive-id": _error("invalid", "An id is 1 to 64 letters, digits, - and dots."),
    "primitive-code": _error("invalid", "A code has no blanks around it and single blanks inside."),
    "primitive-uri": _error("invalid", "A URI has no blanks."),
    "primitive-uri-scheme": _error(
        "invalid", "A URI does not begin with oid: or uuid:, but with urn:oid: or urn:uuid:."
    ),
    "primitive-canonical-relative": _error("invalid", "A canonical is an absolute URL or a fragment."),
    "primitive-oid": _error("invalid", "An OID is urn:oid: and numbers with dots between."),
    "primitive-oid-short": _quirk("invalid", "An OID this short names no system of codes or identifiers."),
    "primitive-uuid": _error("invalid", "A UUID is urn:uuid: and 36 characters in lower case."),
    "primitive-date": _error("invalid", "A date is YYYY, YYYY-MM or YYYY-MM-DD."),
    "primitive-date-time": _error("invalid", "A dateTime is a date, or a date with time, seconds and time zone."),
    "primitive-date-does-not-exist": _error("invalid", "There is no such day in the calendar."),
    "primitive-instant": _error("invalid", "An instant is a date with time, seconds and time zone."),
    "primitive-time": _error("invalid", "A time is HH:MM:SS."),
    "primitive-base64": _error("invalid", "The value is not Base64."),
    "primitive-integer": _error("invalid", "An integer is a whole number of 32 bits."),
    "primitive-integer64": _error("invalid", "An integer64 is a whole number of 64 bits, written as a string."),
    "primitive-unsigned-int": _error("invalid", "The value is a whole number from 0 up."),
    "primitive-positive-int": _error("invalid", "The value is a whole number from 1 up."),
    "string-markup": _error("invalid", "The text looks like HTML, which may not stand here."),
    "narrative-not-xml": _error("invalid", "The narrative is not well-formed XHTML."),
    "narrative-doctype": _error("invalid", "A narrative has no document type declaration."),
    "narrative-two-roots": _error("invalid", "Something follows the div of the narrative."),
    "narrative-nesting": _error("structure", "An element of the narrative may not stand where it does."),
    "narrative-url": _error("invalid", "A link in the narrative is no URL that may stand there."),
    "narrative-root": _error("invalid", "A narrative is one div of the XHTML namespace."),
    "narrative-element": _error("invalid", "The narrative holds an element that is not allowed."),
    "narrative-attribute": _error("invalid", "The narrative holds an attribute that is not allowed."),
    "narrative-empty": _error("invariant", "A narrative has some text or a picture."),
    "narrative-link": _error("not-found", "A link in the narrative leads to no place in it."),
    "narrative-outside": _error("invalid", "The narrative may not run scripts or load from outside."),
}
_RULES = {
    "invariant-failed": _error("invariant", "{key}: {human}"),
    "invariant-not-checked": _note(
        "not-supported", "{key} was not checked: its expression is not supported, or takes too much."
    ),
    "binding-required": _error("code-invalid", "The code is not in the required value set {value_set}."),
    "binding-extensible": _warning("code-invalid", "No code is in the extensible value set {value_set}."),
    "binding-extensible-code": _warning("code-invalid", "The code is not in the extensible value set {value_set}."),
    "binding-no-value": _quirk("code-invalid", "There is no code from the required value set {value_set}."),
    "binding-max": _error("code-invalid", "The code is not in the maximal value set {value_set}."),
    "binding-no-code": _error("code-invalid", "A code from the value set {value_set} is required."),
    "code-unknown": _error("code-invalid", "The code is not in its code system {system}."),
    "code-display": _warning("invalid", "The display is not the one of the code system {system}."),
    "code-not-checked": _note("not-supported", "Codes of {system} were not checked: its content is not at hand."),
    "coding-system-missing": _warning("code-invalid", "A code without a system means nothing."),
    "coding-system-relative": _error("code-invalid", "A system is an absolute URI."),
    "coding-system-value-set": _error("code-invalid", "The system is the URL of a value set, not of a code system."),
    "coding-system-inexact": _error("code-invalid", "The system is nearly, but not exactly, the URL of a code system."),
    "coding-no-code": _quirk("code-invalid", "The Coding has no code."),
    "unit-unknown": _error("invalid", "The code is no unit of UCUM."),
    "unit-unknown-special": _error("invalid", "The code is no unit of UCUM."),
    "language-uncommon": _quirk("code-invalid", "The language is none of the common ones."),
    "identifier-no-uri": _error("code-invalid", "The system says that the value is a URI, and it has no scheme."),
    "identifier-system-relative": _error("code-invalid", "Identifier.system is an absolute URI."),
    "attachment-size": _error("structure", "The stated size of the attachment is not its size."),
    "reference-empty": _warning("required", "A reference has a target, an identifier or a display."),
    "reference-contained-missing": _error("not-found", "No contained resource has the id that this reference names."),
    "reference-target-type": _error("structure", "This reference may lead to {targets}, not to {type}."),
    "reference-target-profile": _note("structure", "What this reference leads to does not fit {targets}."),
    "reference-form": _error("invalid", "A reference is a URL, Type/id, or # and the id of a contained resource."),
    "reference-query": _error("invalid", "A conditional reference is Type?parameter=value."),
    "reference-stated-type": _error("structure", "The type that the reference states is none of {targets}."),
    "reference-type-mismatch": _error("structure", "The reference says another type than its target is of."),
    "contained-no-id": _error("invalid", "A contained resource has an id."),
    "contained-same-id": _error("invalid", "Two contained resources have the same id."),
    "contained-unreferenced": _error(
        "invalid", "Nothing refers to this contained resource, nor does it refer to its container."
    ),
    "canonical-url-relative": _error("invalid", "The URL of a definition is absolute."),
    "bundle-no-full-url": _error(
        "required", "An entry with a resource has a fullUrl, except in a batch or transaction."
    ),
    "bundle-request-no-full-url": _quirk(
        "required", "References of an entry without fullUrl can be resolved by the server only."
    ),
    "bundle-reference-ambiguous": _quirk("duplicate", "Several entries have the fullUrl that this reference names."),
    "bundle-no-first": _error("invalid", "The first entry holds a {wanted}."),
    "bundle-link-prohibited": _error("invalid", "Only a searchset or history has links to its pages."),
    "bundle-link-twice": _error("invalid", "Two links have the same relation."),
    "bundle-search-no-resource": _error("invalid", "An entry of a searchset holds a resource."),
    "bundle-search-no-id": _error("invalid", "What a search has found has an id."),
    "bundle-search-type": _error("invalid", "The search did not ask for resources of this type."),
    "bundle-search-outcome": _error("invalid", "Only an OperationOutcome has the search mode outcome."),
    "bundle-relative-full-url": _error("invalid", "A fullUrl is absolute."),
    "bundle-full-url-id": _error("invalid", "The fullUrl does not end in the id of its resource."),
    "bundle-full-url-twice": _error("duplicate", "Two entries have the same fullUrl and version."),
    "extension-unknown": _warning("extension", "No definition of this extension is at hand."),
    "extension-relative": _error("invalid", "The URL of an extension is absolute."),
    "extension-version": _error("invalid", "The URL of an extension holds no version."),
    "extension-example": _error("invalid", "This extension is an example's and not for use."),
    "extension-context": _error("extension", "The extension {url} may not stand here."),
    "extension-not-here": _error("extension", "The extension {url} may not stand on an element like this one."),
    "extension-matchetype": _quirk("business-rule", "The resource is a pattern that others are compared with."),
    "extension-type": _error("structure", "The value of the extension {url} is of another type."),
    "extension-value": _error("structure", "The extension {url} has no value of its own but parts."),
    "extension-no-value": _error("required", "The extension {url} needs a value."),
    "extension-part": _error("structure", "The extension {url} has no part of this name."),
    "extension-parts": _error("structure", "A part of the extension {url} occurs too often or too rarely."),
    "extension-modifier": _error(
        "structure", "The extension {url} is a modifier and stands in modifierExtension only."
    ),
    "extension-not-modifier": _error("structure", "The extension {url} is no modifier."),
    "profile-null": _quirk("structure", "null stands where the profiles are named."),
    "profile-unknown": _warning("not-found", "The profile {profile} is not at hand and was not checked."),
    "profile-min": _error("required", "{profile}: {name} must occur at least {min} times."),
    "profile-max": _error("structure", "{profile}: {name} may occur at most {max} times."),
    "profile-type": _error("structure", "{profile}: the type of {name} is not allowed."),
    "profile-fixed": _error("value", "{profile}: {name} has another value than the fixed one."),
    "profile-pattern": _error("value", "{profile}: {name} does not hold what the pattern asks for."),
    "profile-slice": _error("structure", "{profile}: this {name} fits no slice, and others are not allowed."),
    "profile-slice-order": _error(
        "structure", "{profile}: this {name} comes too late: the slices stand in another order."
    ),
    "profile-none-fits": _error("structure", "{profile}: the value fits none of the profiles that are allowed here."),
    "profile-must-support": _note("informational", "{profile}: {name} must be supported and is absent."),
    "profile-not-checked": _note("not-supported", "{profile}: the slices of {name} were not checked."),
    "terminology-unavailable": _note(
        "transient", "The terminology server gave no answer: codes of systems that are not at hand were not checked."
    ),
    "terminology-refused": _note(
        "suppressed",
        "Nothing of this resource may be sent to the terminology server: its codes were not checked there.",
    ),
    "remote-refused": _note("suppressed", "The resource may not be sent to the server: it was not checked there."),
    "remote-unavailable": _note("transient", "The server that was asked to validate gave no verdict."),
    "typed-model": _error("structure", "fhir.resources does not accept this ({kind})."),
}
_RESPONSE = {
    "enable-when-nowhere": _error("business-rule", "The form has no item with the linkId that the condition names."),
    "enable-when-self": _error("business-rule", "A condition does not name its own item."),
    "enable-when-inner": _error("business-rule", "A condition does not name an item inside its own."),
    "response-questionnaire-missing": _warning(
        "required", "The Questionnaire is not at hand: the answers were not checked."
    ),
    "response-no-questionnaire": _warning(
        "required", "The response names no Questionnaire: the answers were not checked."
    ),
    "response-link-id-unknown": _error("not-found", "The Questionnaire has no item with this linkId."),
    "response-item-misplaced": _error("structure", "This item stands under another parent in the Questionnaire."),
    "response-item-order": _error("structure", "The items stand in another order than in the Questionnaire."),
    "response-text-differs": _error("invalid", "The text differs from the Questionnaire's."),
    "response-required": _error("required", "The required item {link_id} is not answered."),
    "response-disabled": _error("invalid", "This item is answered though it is not enabled."),
    "response-repeats": _error("invalid", "This item may be given once only."),
    "response-question-twice": _error("invalid", "A question has all its answers in one item."),
    "response-item-in-display": _error("structure", "A display item has no children."),
    "response-group-empty-yet": _warning("invariant", "The required group is empty."),
    "response-quantity-no-value": _error("structure", "The answer has no value to compare with the limit."),
    "response-min-occurs": _error("invalid", "The item {link_id} has fewer answers than the Questionnaire asks for."),
    "response-max-occurs": _error("invalid", "The item {link_id} has more answers than the Questionnaire allows."),
    "response-answer-type": _error("invariant", "The answer to a {type} item is of another type."),
    "response-answer-missing": _error("invariant", "An answer has a value."),
    "response-no-answer-here": _error("structure", "A {type} item has no answers."),
    "response-item-in-answer": _error("structure", "The children of a question stand under its answer."),
    "response-group-empty": _error("invariant", "The required group is empty."),
    "response-not-an-option": _error("invariant", "The answer is none of the options."),
    "response-option-exclusive": _error("invariant", "This option excludes all others."),
    "response-not-in-value-set": _error("code-invalid", "The answer is not in the value set of this item."),
    "response-other-system": _error("code-invalid", "The answer is not in the value set of this item."),
    "response-value-set-missing": _warning(
        "not-found", "The value set of this item is not at hand: the answer was not checked."
    ),
    "response-min-value": _error("invariant", "The answer is less than the minimum."),
    "response-max-value": _error("invariant", "The answer is more than the maximum."),
    "response-incomparable": _error("invariant", "The answer cannot be compared with the limit: another unit."),
    "response-decimal-places": _error("invariant", "The answer has too many decimal places."),
    "response-min-length": _error("invariant", "The answer is too short."),
    "response-text-length": _error("invariant", "The answer is too long."),
    "response-max-length": _error("invariant", "The answer is too long."),
    "response-regex": _error("invariant", "The answer does not have the form that the item asks for."),
    "response-regex-not-checked": _note(
        "not-supported", "The form of the answer was not checked: its pattern is not supported."
    ),
    "response-unit": _error("invariant", "The unit is not one of the item's units."),
    "response-attachment-type": _error("invariant", "The MIME type of the attachment is not one that the item takes."),
    "response-attachment-size": _error("required", "The attachment is too large."),
    "response-reference-type": _error("invariant", "The reference leads to a type that the item does not take."),
    "response-constraint": _error("invariant", "{key}: {human}"),
    "response-calculated": _warning("business-rule", "The answer is not the one that the Questionnaire calculates."),
    "response-outside-period": _warning(
        "business-rule", "The response was not authored while the Questionnaire was in use."
    ),
}
MESSAGES: dict[str, Message] = {**_STRUCTURE, **_RULES, **_RESPONSE}
