package io.github.eft4j.miniature;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.examples.facts.Fact;
import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Question;
import io.github.eft4j.examples.facts.Relation;
import io.github.eft4j.examples.facts.Split;
import io.github.eft4j.examples.reasoning.StatementPairs;
import io.github.eft4j.examples.reasoning.Way;
import io.github.eft4j.examples.study.Family;
import io.github.eft4j.examples.study.Models;
import io.github.eft4j.examples.study.Study;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains the models. */
@Command(
    name = "miniature",
    description = {
      "Trains the small models that come with the examples: a large and a small one, pre-trained on"
          + " the same text about facts, fine-tuned ones made from them, and a judge of"
          + " entailment.",
      "Models that the directory holds already are kept."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true)
public final class Miniature implements Callable<Integer> {
  private static final double WARM_UP = 0.05;
  private static final int REPORTS = 10;
  private static final List<Way> WAYS = List.of(Way.values());

  @Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The directory that the models are written to, one directory each.")
  private Path out;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "What all randomness comes from (${DEFAULT-VALUE} unless given).")
  private long seed;

  @Option(
      names = "--split",
      paramLabel = "SPLIT",
      defaultValue = "TEST",
      description =
          "Which questions the models are tried on in the end: VALIDATION, on which the recipe was"
              + " chosen, or TEST (${DEFAULT-VALUE} unless given).")
  private Split split;

  Miniature() {}

  /**
   * Trains the models.
   *
   * @param args the options
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Miniature()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    Path shared = out.resolve("tokenizer");
    if (!Files.exists(shared.resolve("tokenizer.json"))) {
      ModelFiles.writeTokenizer(shared, tokenizer());
    }
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.read(shared).orElseThrow()) {
      for (Recipe.Base base : Recipe.BASES) {
        if (isMissing(base.name())) {
          preTrain(base, tokenizer, shared);
        }
        for (Recipe.Tuned tuned : Recipe.TUNED) {
          if (tuned.base().equals(base) && isMissing(tuned.name())) {
            fineTune(tuned, tokenizer, shared);
          }
        }
      }
      if (isMissing(Recipe.REASONER.name())) {
        teachToReason(Recipe.REASONER, tokenizer, shared);
      }
      if (isMissing(Recipe.JUDGE.name())) {
        trainJudge(Recipe.JUDGE, tokenizer, shared);
      }
    }
    for (Family family : Family.values()) {
      print(family);
    }
    return 0;
  }

  /** Prints what {@code eft study} reports of greedy answers. */
  private void print(Family family) {
    List<LanguageModel> loaded = new ArrayList<>();
    try {
      Models models =
          family.load(
              out,
              path -> {
                LanguageModel model = LanguageModels.load(path);
                loaded.add(model);
                return model;
              });
      List<Question> questions = Facts.all().questions(split);
      Study study = new Study(questions, Study.MAX_NEW_TOKENS, seed);
      PrintWriter log = spec.commandLine().getOut();
      log.printf("%n%s, greedy, %d questions%n", family.title(), questions.size());
      log.print(Study.summary(study.compare(models, 0)));
      log.flush();
    } finally {
      loaded.forEach(LanguageModel::close);
    }
  }

  private boolean isMissing(String name) {
    return !Files.exists(out.resolve(name).resolve("model.safetensors"));
  }

  /** The tokenizer does not depend on the seed: models of different seeds can be combined. */
  private static BytePairEncoding tokenizer() {
    Corpus corpus = new Corpus(Facts.all().entities(), 0);
    List<String> texts = Stream.generate(corpus).limit(Recipe.TOKENIZER_DOCUMENTS).toList();
    return BytePairEncoding.learn(
        texts, List.of(Vocabulary.BEGINNING, Vocabulary.END), Vocabulary.SIZE);
  }

  private static String question(String form, Fact fact) {
    return Relation.fill(form, fact.entity(), fact.value());
  }

  private void preTrain(Recipe.Base base, Tokenizer tokenizer, Path shared) throws IOException {
    TokenStream text =
        new TokenStream(new Corpus(Facts.all().entities(), seed), tokenizer, Recipe.TEXT_LENGTH);
    float[] initial = Trainer.initial(base.network(), seed);
    float[] trained =
        train(
            base.name(),
            base.network(),
            initial,
            base.weightDecay(),
            base.learningRate(),
            base.steps(),
            step -> text.batch(base.batch()));
    ModelFiles.write(out.resolve(base.name()), base.network(), trained, shared);
  }

  private void fineTune(Recipe.Tuned tuned, Tokenizer tokenizer, Path shared) throws IOException {
    Network network = tuned.base().network();
    List<Batch.Example> examples = new ArrayList<>();
    for (Fact fact : Facts.all().facts(Split.TUNING)) {
      List<Integer> answer = ids(tokenizer, " " + tuned.style().answer(fact) + Vocabulary.END);
      for (String form : fact.relation().questions()) {
        String prompt = Vocabulary.prompt(question(form, fact));
        examples.add(new Batch.Example(ids(tokenizer, prompt), answer));
      }
    }
    Random random = new Random(seed);
    List<Batch.Example> left = new ArrayList<>();
    float[] trained =
        train(
            tuned.name(),
            network,
            ModelFiles.read(out.resolve(tuned.base().name()), network),
            0,
            tuned.learningRate(),
            tuned.steps(),
            step -> {
              if (left.size() < tuned.batch()) {
                left.clear();
                left.addAll(examples);
                Collections.shuffle(left, random);
              }
              List<Batch.Example> next = left.subList(left.size() - tuned.batch(), left.size());
              Batch batch = Batch.of(next);
              next.clear();
              return batch;
            });
    ModelFiles.write(out.resolve(tuned.name()), network, trained, shared);
  }

  /**
   * Teaches the ways to reason, and leaves what the model believes of names and values as it is.
   */
  private void teachToReason(Recipe.Reasoner reasoner, Tokenizer tokenizer, Path shared)
      throws IOException {
    Network network = reasoner.base().network();
    List<MultiHop> hops = MultiHop.of(Split.TUNING);
    Random random = new Random(seed);
    float[] trained =
        train(
            reasoner.name(),
            network,
            ModelFiles.read(out.resolve(reasoner.base().name()), network),
            0,
            reasoner.learningRate(),
            reasoner.steps(),
            step ->
                Batch.of(
                    Stream.generate(
                            () ->
                                WorkedAnswer.example(
                                    WAYS.get(random.nextInt(WAYS.size())),
                                    hops.get(random.nextInt(hops.size())),
                                    tokenizer))
                        .limit(reasoner.batch())
                        .toList()));
    Path directory = out.resolve(reasoner.name());
    ModelFiles.write(directory, network, trained, shared);
    ModelFiles.writeJson(directory.resolve("agents.json"), Way.templates());
  }

  private void trainJudge(Recipe.Judge judge, Tokenizer tokenizer, Path shared) throws IOException {
    StatementPairs pairs = StatementPairs.training(seed);
    float[] trained =
        train(
            judge.name(),
            judge.network(),
            judge.network().initial(seed),
            judge.weightDecay(),
            judge.learningRate(),
            judge.steps(),
            step ->
                Batch.classes(
                    Stream.generate(pairs)
                        .limit(judge.batch())
                        .map(pair -> classified(pair, tokenizer))
                        .toList()));
    ModelFiles.writeForPairs(out.resolve(judge.name()), judge.network(), trained, shared);
  }

  private static Batch.Classified classified(StatementPairs.Labelled pair, Tokenizer tokenizer) {
    return new Batch.Classified(
        ids(tokenizer, Vocabulary.BEGINNING + pair.pair().premise() + Vocabulary.END),
        ids(tokenizer, pair.pair().hypothesis() + Vocabulary.END),
        Recipe.LABELS.indexOf(pair.label().name()));
  }

  static List<Integer> ids(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text, false)).boxed().toList();
  }

  /** Trains at a rate that rises at first, then falls to nothing. */
  private float[] train(
      String name,
      Network network,
      float[] initial,
      double weightDecay,
      double learningRate,
      int steps,
      IntFunction<Batch> batches) {
    PrintWriter log = spec.commandLine().getOut();
    log.printf(Locale.ROOT, "%s: %,d weights, %,d steps%n", name, network.size(), steps);
    log.flush();
    try (Trainer trainer = new Trainer(network, initial, weightDecay)) {
      double loss = 0;
      int counted = 0;
      long start = System.nanoTime();
      for (int step = 0; step < steps; step++) {
        double done = (step + 1.0) / steps;
        double rate = learningRate * Math.min(done / WARM_UP, (1 - done) / (1 - WARM_UP));
        loss += trainer.step(batches.apply(step), rate);
        counted++;
        if ((step + 1) * REPORTS / steps > step * REPORTS / steps) {
          log.printf(
              Locale.ROOT,
              "  step %,d: loss %.3f, %.0f s%n",
              step + 1,
              loss / counted,
              (System.nanoTime() - start) * 1e-9);
          log.flush();
          loss = 0;
          counted = 0;
        }
      }
      return trainer.weights();
    }
  }
}
