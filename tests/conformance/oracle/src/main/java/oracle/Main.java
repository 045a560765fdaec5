package oracle;

import ca.uhn.fhir.context.FhirContext;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.utilities.validation.ValidationMessage;

/**
 * The reference's verdicts. One JSON object a line in: {"id", "resource": text, "us_core": true, "any_extensions": false,
 * "known": [texts of Questionnaires, StructureDefinitions, ValueSets, CodeSystems], "profiles": [url]}; one a line out:
 * {"id", "issues": [[severity, code, place, message id, message]]}. Argument: the package of US Core.
 */
public final class Main {
  private static final FhirContext CONTEXT = FhirContext.forR4();

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Gson gson = new Gson();
    Map<String, Engine> engines = new HashMap<>();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject task = JsonParser.parseString(line).getAsJsonObject();
      JsonObject answer = new JsonObject();
      answer.add("id", task.get("id"));
      answer.add("issues", issues(engine(task, engines, arguments), task));
      out.println(gson.toJson(answer));
      out.flush();
    }
  }

  private static Engine engine(JsonObject task, Map<String, Engine> engines, String[] arguments) throws Exception {
    boolean usCore = task.has("us_core") && task.get("us_core").getAsBoolean();
    boolean any = !task.has("any_extensions") || task.get("any_extensions").getAsBoolean();
    String known = task.has("known") ? task.get("known").toString() : "";
    String key = usCore + " " + any + " " + known;
    if (!engines.containsKey(key)) {
      if (engines.size() > 12) {
        engines.clear();
      }
      Known more = new Known(CONTEXT);
      if (usCore) {
        more.addPackage(Path.of(arguments[0]));
      }
      if (task.has("known")) {
        task.getAsJsonArray("known").forEach(each -> more.add(each.getAsString()));
      }
      engines.put(key, new Engine(CONTEXT, more, any));
    }
    return engines.get(key);
  }

  private static JsonArray issues(Engine engine, JsonObject task) {
    JsonArray issues = new JsonArray();
    List<String> profiles = new ArrayList<>();
    if (task.has("profiles")) {
      task.getAsJsonArray("profiles").forEach(each -> profiles.add(each.getAsString()));
    }
    try {
      for (ValidationMessage each : engine.validate(task.get("resource").getAsString(), profiles)) {
        String code = each.getType() == null ? "" : each.getType().toCode();
        issues.add(row(each.getLevel().toCode(), code, each.getLocation(), each.getMessageId(), each.getMessage()));
      }
    } catch (RuntimeException | StackOverflowError error) {
      issues.add(row("fatal", "exception", "", "threw", String.valueOf(error)));
    }
    return issues;
  }

  private static JsonArray row(String... values) {
    JsonArray row = new JsonArray();
    for (String each : values) {
      row.add(each == null ? "" : each);
    }
    return row;
  }
}
