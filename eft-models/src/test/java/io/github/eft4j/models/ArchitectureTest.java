package io.github.eft4j.models;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.github.eft4j.ChatMessage;
import io.github.eft4j.ChatTemplate;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LikeliestTokens;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.TruncatedLanguageModel;
import java.util.Set;

/** Which way dependencies point, for both modules of the library. */
@AnalyzeClasses(packages = "io.github.eft4j", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String METHOD = "io.github.eft4j";
  private static final String TENSOR = "io.github.eft4j.tensor..";
  private static final String MODELS = "io.github.eft4j.models..";
  private static final String CONFIG = "io.github.eft4j.models.config..";
  private static final String FORMAT = "io.github.eft4j.models.format..";
  private static final String TRANSFORMER = "io.github.eft4j.models.transformer..";

  /** What a model is to the method; all else in that package is about decoding. */
  private static final Set<String> CONTRACTS =
      Set.of(
          ChatMessage.class.getName(),
          ChatTemplate.class.getName(),
          ForwardBatch.class.getName(),
          KeyValueCache.class.getName(),
          LanguageModel.class.getName(),
          LikeliestTokens.class.getName(),
          Tokenizer.class.getName(),
          TruncatedLanguageModel.class.getName());

  private static final DescribedPredicate<JavaClass> DECODING =
      describe(
          "about decoding",
          type -> {
            JavaClass outermost = type;
            while (outermost.getEnclosingClass().isPresent()) {
              outermost = outermost.getEnclosingClass().get();
            }
            return outermost.getPackageName().equals(METHOD)
                && !CONTRACTS.contains(outermost.getName());
          });

  @ArchTest
  static final ArchRule coreKnowsNothingOfModels =
      noClasses()
          .that()
          .resideOutsideOfPackage(MODELS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              MODELS, "com.fasterxml.jackson..", "ai.djl..", "com.hubspot.jinjava..");

  /** It is an optional dependency. */
  @ArchTest
  static final ArchRule onlyItsPackageKnowsLangChain4j =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.github.eft4j.langchain4j..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.langchain4j..", "io.github.eft4j.langchain4j..");

  @ArchTest
  static final ArchRule nothingKnowsAnNd4jBackend =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.nd4j.linalg.cpu..",
              "org.nd4j.linalg.jcublas..",
              "org.nd4j.jita..",
              "org.nd4j.nativeblas..");

  @ArchTest
  static final ArchRule tensorsKnowNothingElse =
      noClasses()
          .that()
          .resideInAPackage(TENSOR)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(METHOD, MODELS);

  @ArchTest
  static final ArchRule modelsKnowNothingOfDecoding =
      noClasses().that().resideInAPackage(MODELS).should().dependOnClassesThat(DECODING);

  @ArchTest
  static final ArchRule configurationsKnowNothingOfFormatsAndForwardPasses =
      noClasses()
          .that()
          .resideInAPackage(CONFIG)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(FORMAT, TRANSFORMER);

  @ArchTest
  static final ArchRule formatsKnowNothingOfForwardPasses =
      noClasses()
          .that()
          .resideInAPackage(FORMAT)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(TRANSFORMER);

  @ArchTest
  static final ArchRule packagesFormNoCycles =
      slices().matching("io.github.eft4j.(**)").should().beFreeOfCycles();
}
