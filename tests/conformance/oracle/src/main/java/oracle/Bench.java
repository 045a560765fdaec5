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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * How many resources a second of processor time the reference validates on one thread: as HAPI runs it (stock), and with
 * its engine kept. A line in is {"name", "resources": [texts], "known": [texts], "us_core"}, which says what there is, or
 * {"name", "mode": "stock" | "kept", "seconds"}, which is answered by a figure. Argument: the package of US Core.
 */
public final class Bench {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private Bench() {}

  private record Job(List<String> texts, Consumer<String> stock, Consumer<String> kept) {}

  public static void main(String[] arguments) throws Exception {
    FhirContext context = FhirContext.forR4();
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Map<String, Job> jobs = new HashMap<>();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject task = JsonParser.parseString(line).getAsJsonObject();
      String name = task.get("name").getAsString();
      if (task.has("resources")) {
        jobs.put(name, job(context, task, arguments[0]));
      } else {
        Job job = jobs.get(name);
        boolean stock = task.get("mode").getAsString().equals("stock");
        out.println(rate(job.texts(), stock ? job.stock() : job.kept(), task.get("seconds").getAsDouble()));
      }
    }
  }

  private static Job job(FhirContext context, JsonObject task, String usCore) throws Exception {
    Known known = new Known(context);
    if (task.has("us_core") && task.get("us_core").getAsBoolean()) {
      known.addPackage(Path.of(usCore));
    }
    if (task.has("known")) {
      task.getAsJsonArray("known").forEach(each -> known.add(each.getAsString()));
    }
    List<String> texts = new Gson().fromJson(task.get("resources"), List.class);
    Engine engine = new Engine(context, known, true);
    FhirValidator stock = engine.stock();
    return new Job(texts, stock::validateWithResult, text -> engine.validate(text, List.of()));
  }

  private static double rate(List<String> texts, Consumer<String> work, double seconds) {
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
