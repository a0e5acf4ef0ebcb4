package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.TruncationPolicy;
import io.github.eft4j.html.ReasoningPage;
import io.github.eft4j.models.NliModel;
import io.github.eft4j.reasoning.AgentFailure;
import io.github.eft4j.reasoning.Cost;
import io.github.eft4j.reasoning.EntropyUnit;
import io.github.eft4j.reasoning.GraphScore;
import io.github.eft4j.reasoning.ReasoningGraph;
import io.github.eft4j.reasoning.ReasoningResult;
import io.github.eft4j.reasoning.ScoredGraph;
import io.github.eft4j.reasoning.Step;
import io.github.eft4j.reasoning.TheoremOfThought;
import io.github.eft4j.reasoning.TrustModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Answers a question by Theorem-of-Thought. */
@Command(
    name = "reason",
    description = {
      "Answers a question by Theorem-of-Thought: three agents reason, a model for natural-language"
          + " inference judges their steps, and the most coherent reasoning answers.",
      "Samples from one model, from a large model that is up-scaled by what fine-tuning changed in"
          + " a small one, or from any other combination."
    })
final class ReasonCommand extends EftCommand {
  /** A trace has no place for a warning about tokens that a served model leaves open. */
  private static final double MOST_TRUNCATION = 0.01;

  @ArgGroup(multiplicity = "1")
  private ModelSource source;

  @Option(
      names = "--nli",
      required = true,
      paramLabel = "DIR",
      description = "The model for natural-language inference, a Hugging Face directory.")
  private Path nli;

  @Option(names = "--question", required = true, paramLabel = "TEXT", description = "The question.")
  private String question;

  @Option(
      names = "--agents",
      paramLabel = "FILE",
      description = {
        "The agents' prompts, a JSON object of names and templates. {question} and {steps} stand"
            + " for the question and the greatest number of steps; what follows {trace} begins the"
            + " trace, for models that do not follow instructions. Unless given, there are an"
            + " abductive, a deductive and an inductive agent with long prompts."
      })
  private @Nullable Path agents;

  @Option(
      names = "--max-steps",
      paramLabel = "S",
      description = "The greatest number of steps of an agent (8 unless given).")
  private @Nullable Integer maxSteps;

  @Option(
      names = "--trust",
      paramLabel = "TRUST",
      converter = Trust.Converter.class,
      defaultValue = "hard",
      description =
          "What a judgement is worth: by its likeliest label (hard), or on average over the labels"
              + " (expected). ${DEFAULT-VALUE} unless given.")
  private Trust trust;

  @Option(
      names = "--entropy",
      paramLabel = "UNIT",
      converter = Unit.Converter.class,
      defaultValue = "nats",
      description =
          "The unit of the entropy in scores: ${COMPLETION-CANDIDATES}."
              + " ${DEFAULT-VALUE} unless given.")
  private Unit entropy;

  @Mixin private final FormatOption format = new FormatOption();

  @ArgGroup private SamplerOptions.@Nullable Drawing drawing;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "The greatest number of new tokens of an agent (256 unless given).")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Draws the reasoning graphs as a web page.")
  private @Nullable Path html;

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  @Mixin private final ModelLoader loader = new ModelLoader();

  /** What a judgement is worth. */
  enum Trust {
    HARD,
    EXPECTED;

    TrustModel model() {
      return switch (this) {
        case HARD -> TrustModel.hardLabel();
        case EXPECTED -> TrustModel.expectedValue();
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Reads it as users type it. */
    static final class Converter extends WordConverter<Trust> {
      Converter() {
        super(Trust.class);
      }
    }
  }

  /** The unit of entropies. */
  enum Unit {
    NATS(EntropyUnit.NATS),
    BITS(EntropyUnit.BITS);

    private final EntropyUnit unit;

    Unit(EntropyUnit unit) {
      this.unit = unit;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Reads it as users type it. */
    static final class Converter extends WordConverter<Unit> {
      Converter() {
        super(Unit.class);
      }
    }
  }

  @Override
  public void run() {
    SamplingOptions options = options();
    ReasoningResult result;
    try (ModelLoader.Models models = loader.open();
        NliModel entailment = NliModel.load(nli, models.ops())) {
      LogitCombiner combiner = source.combiner(models, null).prompted(format.get());
      EftSampler sampler =
          EftSampler.builder(combiner)
              .options(options)
              .truncation(TruncationPolicy.failAbove(MOST_TRUNCATION))
              .build();
      TheoremOfThought.Builder reasoner =
          TheoremOfThought.builder(sampler, entailment)
              .trust(trust.model())
              .entropyUnit(entropy.unit);
      if (agents != null) {
        reasoner.agents(AgentFile.read(agents));
      }
      if (maxSteps != null) {
        reasoner.maxSteps(maxSteps);
      }
      result = reasoner.build().answer(question);
    }
    if (html != null) {
      save(html, ReasoningPage.html(question, result));
    }
    if (json) {
      Json.printLine(out(), generator -> write(generator, result));
    } else {
      print(out(), result);
    }
  }

  private SamplingOptions options() {
    SamplingOptions.Builder options = SamplingOptions.builder();
    if (maxNewTokens != null) {
      options.maxNewTokens(maxNewTokens);
    }
    if (drawing != null) {
      drawing.apply(options);
    }
    return options.build();
  }

  private static void save(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void print(PrintWriter out, ReasoningResult result) {
    out.println(
        result.answer().map(answer -> "Answer: " + answer).orElse("No agent came to an answer."));
    for (ScoredGraph graph : result.graphs()) {
      boolean wins = result.winner().filter(graph::equals).isPresent();
      out.printf(
          Locale.ROOT,
          "%n%s: score %.4f%s%n",
          graph.agent(),
          graph.score().value(),
          wins ? " (winner)" : "");
      for (int node = 0; node < graph.beliefs().size(); node++) {
        Step step = graph.trace().steps().get(node);
        out.printf(
            Locale.ROOT, "  %.4f  %d. %s%n", graph.beliefs().get(node), step.number(), step.text());
      }
    }
    for (AgentFailure failure : result.failures()) {
      out.printf("%n%s failed: %s%n", failure.agent(), failure.message());
    }
    Cost cost = result.cost();
    out.printf(
        Locale.ROOT,
        "%n%d decoding passes, %d tokens, %d NLI calls, %d belief updates%n",
        cost.decodingPasses(),
        cost.tokens(),
        cost.nliCalls(),
        cost.beliefUpdates());
  }

  static void write(JsonGenerator json, ReasoningResult result) throws IOException {
    json.writeStartObject();
    json.writeStringField("answer", result.answer().orElse(null));
    json.writeStringField("winner", result.winner().map(ScoredGraph::agent).orElse(null));
    json.writeArrayFieldStart("graphs");
    for (ScoredGraph graph : result.graphs()) {
      write(json, graph);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("failures");
    for (AgentFailure failure : result.failures()) {
      json.writeStartObject();
      json.writeStringField("agent", failure.agent());
      json.writeStringField("reason", failure.reason().name().toLowerCase(Locale.ROOT));
      json.writeStringField("message", failure.message());
      json.writeEndObject();
    }
    json.writeEndArray();
    Cost cost = result.cost();
    json.writeObjectFieldStart("cost");
    json.writeNumberField("decodingPasses", cost.decodingPasses());
    json.writeNumberField("tokens", cost.tokens());
    json.writeNumberField("nliCalls", cost.nliCalls());
    json.writeNumberField("beliefUpdates", cost.beliefUpdates());
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, ScoredGraph graph) throws IOException {
    List<Step> steps = graph.trace().steps();
    GraphScore score = graph.score();
    json.writeStartObject();
    json.writeStringField("agent", graph.agent());
    json.writeStringField("answer", graph.trace().conclusion().orElse(null));
    json.writeNumberField("score", score.value());
    json.writeNumberField("meanBelief", score.meanBelief());
    json.writeNumberField("meanEntropy", score.meanEntropy());
    json.writeStringField("entropyUnit", score.unit().name().toLowerCase(Locale.ROOT));
    json.writeArrayFieldStart("steps");
    for (int node = 0; node < steps.size(); node++) {
      json.writeStartObject();
      json.writeNumberField("number", steps.get(node).number());
      json.writeStringField("text", steps.get(node).text());
      json.writeNumberField("belief", graph.beliefs().get(node));
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("edges");
    for (int e = 0; e < graph.graph().edges().size(); e++) {
      ReasoningGraph.Edge edge = graph.graph().edges().get(e);
      json.writeStartObject();
      json.writeNumberField("from", steps.get(edge.parent()).number());
      json.writeNumberField("to", steps.get(edge.child()).number());
      json.writeStringField(
          "label", graph.judgements().get(e).label().name().toLowerCase(Locale.ROOT));
      json.writeNumberField("trust", graph.trusts().get(e));
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
