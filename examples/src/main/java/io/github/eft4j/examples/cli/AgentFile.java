package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.github.eft4j.reasoning.Agent;
import io.github.eft4j.reasoning.TraceParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file with the prompts of agents: a JSON object of their names and templates. */
final class AgentFile {
  private AgentFile() {}

  /**
   * Reads a file.
   *
   * @param path the file
   * @return the agents, in the order of the file
   * @throws IllegalArgumentException if it is no such object, or a template is none
   */
  static List<Agent> read(Path path) {
    List<Agent> agents = new ArrayList<>();
    try (JsonParser json = new JsonFactory().createParser(Files.readString(path))) {
      json.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
      expect(path, json, json.nextToken(), JsonToken.START_OBJECT);
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        expect(path, json, json.nextToken(), JsonToken.VALUE_STRING);
        agents.add(new Agent(name, json.getText(), TraceParser.numberedSteps()));
      }
      expect(path, json, json.currentToken(), JsonToken.END_OBJECT);
      expect(path, json, json.nextToken(), null);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(path + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (agents.isEmpty()) {
      throw new IllegalArgumentException(path + " has no agents");
    }
    return agents;
  }

  private static void expect(
      Path path, JsonParser json, @Nullable JsonToken found, @Nullable JsonToken expected)
      throws IOException {
    if (found != expected) {
      throw new IllegalArgumentException(
          "%s: expected {NAME: TEMPLATE, ...}, found %s"
              .formatted(path, found == null ? "the end" : "'" + json.getText() + "'"));
    }
  }
}
