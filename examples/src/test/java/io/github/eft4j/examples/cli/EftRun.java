package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/** What a command did. */
record EftRun(int status, String out, String err) {
  static EftRun eft(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status = Eft.run(new PrintWriter(out), new PrintWriter(err), args);
    return new EftRun(status, out.toString(), err.toString());
  }

  /** The output as one line of JSON. */
  JsonNode json() {
    try {
      return new ObjectMapper().readTree(out);
    } catch (JsonProcessingException e) {
      throw new AssertionError(this + " is not JSON", e);
    }
  }

  /** The output as JSON, one value a line. */
  List<JsonNode> jsonLines() {
    return out.lines().map(line -> new EftRun(status, line, err).json()).toList();
  }

  /** The output as JSON, an array of integers of it. */
  List<Integer> ints(String key) {
    return json().get(key).valueStream().map(JsonNode::asInt).toList();
  }

  static String model(String name) {
    return "models/" + name;
  }
}
