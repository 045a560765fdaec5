"""A Questionnaire with every type of item and every limit, and a complete response to it."""

from __future__ import annotations

from typing import Any

Tree = dict[str, Any]
STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
UCUM = "http://unitsofmeasure.org"
YES = {"system": "http://terminology.hl7.org/CodeSystem/v2-0136", "code": "Y", "display": "Yes"}
YES_NO = "http://terminology.hl7.org/ValueSet/v2-0136"


def _limit(name: str, **value: Any) -> Tree:
    return {"url": (SDC if name.endswith("Quantity") else STRUCTURE) + name, **value}


def form() -> Tree:
    """A Questionnaire with every type of item, nested, with every limit."""
    options = [{"valueCoding": {"system": "http://a.org/c", "code": code, "display": code.upper()}} for code in "abc"]
    exclusive = {"url": STRUCTURE + "questionnaire-optionExclusive", "valueBoolean": True}
    options.append({"valueCoding": {"system": "http://a.org/c", "code": "none"}, "extension": [exclusive]})
    bounds = [_limit("minValue", valueInteger=0), _limit("maxValue", valueInteger=10)]
    dates = [_limit("minValue", valueDate="2020-01-01"), _limit("maxValue", valueDate="2022-12-31")]
    units = [
        {"url": STRUCTURE + "questionnaire-unitOption", "valueCoding": {"system": UCUM, "code": code, "display": code}}
        for code in ("kg", "g")
    ]
    weights = [
        {"url": SDC + "minQuantity", "valueQuantity": {"value": 1, "system": UCUM, "code": "kg", "unit": "kg"}},
        {"url": SDC + "maxQuantity", "valueQuantity": {"value": 300, "system": UCUM, "code": "kg", "unit": "kg"}},
    ]
    files = [_limit("mimeType", valueCode="image/png"), _limit("maxSize", valueDecimal=100)]
    when = {"question": "q.boolean", "operator": "=", "answerBoolean": True}
    items: list[Tree] = [
        {"linkId": "d", "type": "display", "text": "Please"},
        {"linkId": "q.boolean", "type": "boolean", "text": "Yes?", "required": True},
        {"linkId": "q.then", "type": "string", "text": "Then", "enableWhen": [when], "required": True},
        {"linkId": "q.string", "type": "string", "text": "S", "maxLength": 10, "extension": [_limit("minLength", valueInteger=2)]},
        {"linkId": "q.regex", "type": "string", "text": "R", "extension": [_limit("regex", valueString="[a-z]+")]},
        {"linkId": "q.text", "type": "text", "text": "T", "maxLength": 20},
        {"linkId": "q.integer", "type": "integer", "text": "I", "extension": bounds},
        {"linkId": "q.decimal", "type": "decimal", "text": "D", "extension": [_limit("maxDecimalPlaces", valueInteger=1)]},
        {"linkId": "q.date", "type": "date", "text": "Date", "extension": dates},
        {"linkId": "q.dateTime", "type": "dateTime", "text": "When"},
        {"linkId": "q.time", "type": "time", "text": "Time"},
        {"linkId": "q.url", "type": "url", "text": "Url"},
        {"linkId": "q.choice", "type": "choice", "text": "C", "repeats": True, "answerOption": options},
        {"linkId": "q.open", "type": "open-choice", "text": "O", "answerOption": options[:2]},
        {"linkId": "q.set", "type": "choice", "text": "V", "answerValueSet": YES_NO},
        {"linkId": "q.quantity", "type": "quantity", "text": "Q", "extension": [*units, *weights]},
        {"linkId": "q.file", "type": "attachment", "text": "F", "extension": files},
        {
            "linkId": "q.who", "type": "reference", "text": "W",
            "extension": [{"url": STRUCTURE + "questionnaire-referenceResource", "valueCode": "Patient"}],
        },
        {
            "linkId": "q.many", "type": "string", "text": "M", "repeats": True,
            "extension": [
                {"url": STRUCTURE + "questionnaire-minOccurs", "valueInteger": 2},
                {"url": STRUCTURE + "questionnaire-maxOccurs", "valueInteger": 4},
            ],
        },
        {
            "linkId": "g", "type": "group", "text": "Group", "required": True, "repeats": True,
            "item": [
                {"linkId": "g.a", "type": "integer", "text": "A", "required": True, "item": [{"linkId": "g.a.why", "type": "string", "text": "Why"}]},
                {"linkId": "g.b", "type": "string", "text": "B", "enableWhen": [{"question": "g.a", "operator": ">", "answerInteger": 3}]},
                {"linkId": "g.c", "type": "string", "text": "C", "enableBehavior": "any", "enableWhen": [
                    {"question": "g.a", "operator": "exists", "answerBoolean": False},
                    {"question": "q.choice", "operator": "=", "answerCoding": {"system": "http://a.org/c", "code": "a"}},
                ]},
            ],
        },
        {"linkId": "e", "type": "group", "text": "Optional", "item": [{"linkId": "e.a", "type": "boolean", "text": "E", "required": True}]},
    ]  # fmt: skip
    return {
        "resourceType": "Questionnaire", "url": "http://a.org/Questionnaire/all", "version": "1", "status": "active",
        "effectivePeriod": {"start": "2020-01-01", "end": "2030-01-01"}, "item": items,
    }  # fmt: skip


def response() -> Tree:
    """A complete response to the form."""

    def item(link_id: str, *answers: Tree, **more: Any) -> Tree:
        return {"linkId": link_id, **({"answer": list(answers)} if answers else {}), **more}

    coding = {"system": "http://a.org/c", "code": "a", "display": "A"}
    weight = {"value": 80000, "unit": "g", "system": UCUM, "code": "g"}
    a = item("g.a", {"valueInteger": 4, "item": [item("g.a.why", {"valueString": "so"})]}, text="A")
    items = [
        item("q.boolean", {"valueBoolean": True}, text="Yes?"),
        item("q.then", {"valueString": "then"}),
        item("q.string", {"valueString": "abc"}),
        item("q.regex", {"valueString": "abc"}),
        item("q.text", {"valueString": "some text"}),
        item("q.integer", {"valueInteger": 5}),
        item("q.decimal", {"valueDecimal": 1}),
        item("q.date", {"valueDate": "2021-05-05"}),
        item("q.dateTime", {"valueDateTime": "2021-05-05T10:00:00Z"}),
        item("q.time", {"valueTime": "10:00:00"}),
        item("q.url", {"valueUri": "http://a.org"}),
        item("q.choice", {"valueCoding": coding}, {"valueCoding": {**coding, "code": "b", "display": "B"}}),
        item("q.open", {"valueString": "other"}),
        item("q.set", {"valueCoding": YES}),
        item("q.quantity", {"valueQuantity": weight}),
        item("q.file", {"valueAttachment": {"contentType": "image/png", "data": "AAAA"}}),
        item("q.who", {"valueReference": {"reference": "Patient/1"}}),
        item("q.many", {"valueString": "one"}, {"valueString": "two"}, {"valueString": "three"}),
        item("g", item=[a, item("g.b", {"valueString": "b"}), item("g.c", {"valueString": "c"})]),
        item("e", item=[item("e.a", {"valueBoolean": False})]),
    ]
    return {
        "resourceType": "QuestionnaireResponse", "questionnaire": "http://a.org/Questionnaire/all",
        "status": "completed", "authored": "2021-05-05T10:00:00Z", "item": items,
    }  # fmt: skip
