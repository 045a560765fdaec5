"""Care plans and assessments of addiction treatment, carried to FHIR and back without loss."""

__version__ = "0.1.0"
