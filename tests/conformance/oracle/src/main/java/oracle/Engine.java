package oracle;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.IValidationContext;
import ca.uhn.fhir.validation.ValidationContext;
import ca.uhn.fhir.validation.ValidationOptions;
import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.fhir.ucum.UcumEssenceService;
import org.fhir.ucum.UcumService;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.common.hapi.validation.validator.WorkerContextValidationSupportAdapter;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.utils.validation.ValidatorSession;
import org.hl7.fhir.r5.utils.validation.constants.IdStatus;
import org.hl7.fhir.r5.utils.xver.XVerExtensionManagerOld;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidatorSettings;
import org.hl7.fhir.validation.instance.InstanceValidator;

/**
 * The reference's engine over one set of definitions, without network: kept between resources, or made anew for each as
 * HAPI does. Both give the same messages; a kept one is renewed every RENEWED resources, for it grows.
 */
final class Engine {
  static final int RENEWED = 200;
  private static final Gson GSON = new Gson();

  private final FhirContext context;
  private final Context worker;
  private final IValidationSupport chain;
  private final boolean anyExtensions;
  private InstanceValidator kept;
  private int used;

  Engine(FhirContext context, Known known, boolean anyExtensions) {
    this.context = context;
    this.anyExtensions = anyExtensions;
    this.chain =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            known,
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context));
    this.worker = new Context(chain);
  }

  /** What HAPI's users run. */
  FhirValidator stock() {
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setAnyExtensionsAllowed(anyExtensions);
    module.setErrorForUnknownProfiles(false);
    module.setWrappedWorkerContext(chain, worker);
    return context.newValidator().registerValidatorModule(module);
  }

  /** Every message about a resource, by the engine that is kept. */
  List<ValidationMessage> validate(String text, List<String> profiles) {
    List<ValidationMessage> messages = new ArrayList<>();
    IValidationContext<?> given = ValidationContext.forText(context, text, new ValidationOptions());
    Set<String> wanted = new LinkedHashSet<>(profiles);
    wanted.addAll(claimed(given.getResourceAsString()));
    List<StructureDefinition> found = new ArrayList<>();
    for (String url : wanted) {
      StructureDefinition profile = worker.fetchResource(StructureDefinition.class, url);
      if (profile != null) {
        found.add(profile);
      }
    }
    InputStream bytes = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    try {
      engine().validate(null, messages, bytes, Manager.FhirFormat.JSON, found);
    } catch (RuntimeException error) {
      kept = null;
      throw error;
    }
    return messages;
  }

  private static List<String> claimed(String text) {
    JsonObject meta = GSON.fromJson(text, JsonObject.class).getAsJsonObject("meta");
    JsonElement rows = meta == null ? null : meta.get("profile");
    List<String> found = new ArrayList<>();
    if (rows != null && rows.isJsonArray()) {
      rows.getAsJsonArray().forEach(row -> found.add(row.getAsString()));
    }
    return found;
  }

  private InstanceValidator engine() {
    if (kept == null || used++ >= RENEWED) {
      kept = fresh();
      used = 1;
    }
    return kept;
  }

  private InstanceValidator fresh() {
    try {
      InstanceValidator made =
          new InstanceValidator(
              worker,
              new FhirInstanceValidator.NullEvaluationContext(),
              new XVerExtensionManagerOld(worker),
              new ValidatorSession(),
              new ValidatorSettings());
      made.setAnyExtensionsAllowed(anyExtensions);
      made.setResourceIdRule(IdStatus.OPTIONAL);
      made.setUnknownCodeSystemsCauseErrors(true);
      made.setPolicyAdvisor(new FhirDefaultPolicyAdvisor());
      made.setAllowXsiLocation(true);
      return made;
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }

  /** HAPI's own has no units service and throws where a quantity is compared with a limit. */
  private static final class Context extends WorkerContextValidationSupportAdapter {
    private final UcumService units;

    Context(IValidationSupport chain) {
      super(chain);
      try (InputStream bytes = Engine.class.getResourceAsStream("/ucum-essence.xml")) {
        units = new UcumEssenceService(bytes);
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
    }

    @Override
    public UcumService getUcumService() {
      return units;
    }
  }
}
