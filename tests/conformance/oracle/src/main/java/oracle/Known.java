package oracle;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.MetadataResource;
import org.hl7.fhir.r4.model.Questionnaire;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.ValueSet;

/** Definitions beside those of FHIR itself, Questionnaires too (which HAPI's own pre-populated support ignores). */
final class Known implements IValidationSupport {
  private final FhirContext context;
  private final Map<String, MetadataResource> byUrl = new HashMap<>();

  Known(FhirContext context) {
    this.context = context;
  }

  void add(String text) {
    IBaseResource resource = context.newJsonParser().parseResource(text);
    if (resource instanceof MetadataResource row && row.getUrl() != null) {
      byUrl.put(row.getUrl(), row);
      if (row.getVersion() != null) {
        byUrl.put(row.getUrl() + "|" + row.getVersion(), row);
      }
    }
  }

  void addPackage(Path path) throws IOException {
    try (TarArchiveInputStream archive =
        new TarArchiveInputStream(new GzipCompressorInputStream(new BufferedInputStream(Files.newInputStream(path))))) {
      for (TarArchiveEntry entry = archive.getNextEntry(); entry != null; entry = archive.getNextEntry()) {
        if (entry.getName().matches("package/(StructureDefinition|ValueSet|CodeSystem|Questionnaire)-[^/]*\\.json")) {
          add(new String(archive.readAllBytes(), StandardCharsets.UTF_8));
        }
      }
    }
  }

  @Override
  public FhirContext getFhirContext() {
    return context;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T extends IBaseResource> T fetchResource(Class<T> type, String url) {
    MetadataResource found = url == null ? null : byUrl.get(url);
    return found != null && (type == null || type.isInstance(found)) ? (T) found : null;
  }

  @Override
  public IBaseResource fetchStructureDefinition(String url) {
    return fetchResource(StructureDefinition.class, url);
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T extends IBaseResource> List<T> fetchAllStructureDefinitions() {
    List<T> found = new ArrayList<>();
    byUrl.forEach(
        (url, row) -> {
          if (row instanceof StructureDefinition && !url.contains("|")) {
            found.add((T) row);
          }
        });
    return found;
  }

  @Override
  public IBaseResource fetchValueSet(String url) {
    return fetchResource(ValueSet.class, url);
  }

  @Override
  public IBaseResource fetchCodeSystem(String url) {
    return fetchResource(CodeSystem.class, url);
  }

  @Override
  public boolean isCodeSystemSupported(
      ca.uhn.fhir.context.support.ValidationSupportContext root, String url) {
    return fetchCodeSystem(url) != null;
  }

  @Override
  public boolean isValueSetSupported(ca.uhn.fhir.context.support.ValidationSupportContext root, String url) {
    return fetchValueSet(url) != null;
  }
}
