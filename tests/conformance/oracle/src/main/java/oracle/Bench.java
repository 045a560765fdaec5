package oracle;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.validation.FhirValidator;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * How many resources a second of processor time the reference validates on one thread, warm: as HAPI runs it (stock), and
 * with its engine kept. A line in is {"name", "resources": [texts], "known": [texts], "us_core"}; out {"name", "stock",
 * "kept"}. Arguments: the package of US Core, seconds to warm up, seconds to measure.
 */
public final class Bench {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private Bench() {}

  public static void main(String[] arguments) throws Exception {
    FhirContext context = FhirContext.forR4();
    double warm = Double.parseDouble(arguments[1]);
    double measured = Double.parseDouble(arguments[2]);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject task = JsonParser.parseString(line).getAsJsonObject();
      Known known = new Known(context);
      if (task.has("us_core") && task.get("us_core").getAsBoolean()) {
        known.addPackage(Path.of(arguments[0]));
      }
      if (task.has("known")) {
        task.getAsJsonArray("known").forEach(each -> known.add(each.getAsString()));
      }
      List<String> texts = new Gson().fromJson(task.get("resources"), List.class);
      Engine engine = new Engine(context, known, true);
      FhirValidator stock = engine.stock();
      JsonObject answer = new JsonObject();
      answer.add("name", task.get("name"));
      answer.addProperty("stock", rate(texts, text -> stock.validateWithResult(text), warm, measured));
      answer.addProperty("kept", rate(texts, text -> engine.validate(text, List.of()), warm, measured));
      out.println(answer);
    }
  }

  private static double rate(List<String> texts, Consumer<String> work, double warm, double measured) {
    run(texts, work, warm);
    return run(texts, work, measured);
  }

  private static double run(List<String> texts, Consumer<String> work, double seconds) {
    long start = THREADS.getCurrentThreadCpuTime();
    long spent = 0;
    long done = 0;
    while (spent < seconds * 1e9) {
      for (String text : texts) {
        work.accept(text);
        done++;
      }
      spent = THREADS.getCurrentThreadCpuTime() - start;
    }
    return done / (spent / 1e9);
  }
}
