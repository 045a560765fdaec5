"""FHIRPath, compiled to closures over plain JSON trees. http://hl7.org/fhirpath/N1/"""
