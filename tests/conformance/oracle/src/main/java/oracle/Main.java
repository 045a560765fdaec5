package oracle;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Questionnaire;

/**
 * The reference validator as HAPI runs it, without network. One JSON object a line in:
 * {"id": ..., "resource": "...text...", "questionnaires": ["...text..."]}; one out: {"id": ..., "issues": [[severity, place, message id, message]]}.
 */
public final class Main {
  private static final Map<String, Questionnaire> FORMS = new HashMap<>();

  private Main() {}

  public static void main(String[] args) throws Exception {
    FhirContext context = FhirContext.forR4();
    IValidationSupport forms = new Forms(context);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            forms);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Gson gson = new Gson();
    FhirValidator validator = null;
    int count = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject task = JsonParser.parseString(line).getAsJsonObject();
      boolean fresh = validator == null;
      if (task.has("questionnaires")) {
        FORMS.clear();
        for (var each : task.getAsJsonArray("questionnaires")) {
          Questionnaire form = context.newJsonParser().parseResource(Questionnaire.class, each.getAsString());
          FORMS.put(form.getUrl(), form);
        }
        chain.invalidateCaches();
        fresh = true;
      }
      if (fresh) {
        validator = context.newValidator().registerValidatorModule(new FhirInstanceValidator(chain));
      }
      JsonArray issues = new JsonArray();
      try {
        for (SingleValidationMessage each : validator.validateWithResult(task.get("resource").getAsString()).getMessages()) {
          JsonArray row = new JsonArray();
          row.add(each.getSeverity().getCode());
          row.add(each.getLocationString());
          row.add(each.getMessageId());
          row.add(each.getMessage());
          issues.add(row);
        }
      } catch (RuntimeException error) {
        JsonArray row = new JsonArray();
        row.add("fatal");
        row.add("");
        row.add("threw");
        row.add(String.valueOf(error.getMessage()));
        issues.add(row);
      }
      JsonObject answer = new JsonObject();
      answer.add("id", task.get("id"));
      answer.add("issues", issues);
      out.println(gson.toJson(answer));
      count++;
    }
    System.err.println(count + " validated");
  }

  private static final class Forms implements IValidationSupport {
    private final FhirContext context;

    Forms(FhirContext context) {
      this.context = context;
    }

    @Override
    public FhirContext getFhirContext() {
      return context;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends IBaseResource> T fetchResource(Class<T> type, String uri) {
      if (uri == null || !(type == null || type.isAssignableFrom(Questionnaire.class))) {
        return null;
      }
      int bar = uri.indexOf('|');
      Questionnaire form = FORMS.get(bar < 0 ? uri : uri.substring(0, bar));
      boolean other = form != null && bar >= 0 && !uri.substring(bar + 1).equals(form.getVersion());
      return other ? null : (T) form;
    }
  }
}
