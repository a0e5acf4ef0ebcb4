package io.github.eft4j.models.tokenizer;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import io.github.eft4j.ChatMessage;
import io.github.eft4j.ChatTemplate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A template in Jinja's language, rendered by Jinjava as Hugging Face renders it. */
final class JinjaChatTemplate implements ChatTemplate {
  private static final LegacyOverrides LIKE_JINJA =
      LegacyOverrides.newBuilder()
          .withEvaluateMapKeys(true)
          .withIterateOverMapKeys(true)
          .withUseNaturalOperatorPrecedence(true)
          .withKeepNullableLoopValues(true)
          .withHandleBackslashInQuotesOnly(true)
          .withAllowAdjacentTextNodes(true)
          .build();

  private final String source;
  private final String template;
  private final Map<String, String> specialTokens;
  private final Jinjava jinjava;

  /**
   * A template.
   *
   * @param source where it stands, for messages
   * @param template the template
   * @param specialTokens the variables that hold special tokens, such as {@code bos_token}
   * @param clock tells the time to templates that ask for it
   */
  JinjaChatTemplate(
      String source, String template, Map<String, String> specialTokens, Clock clock) {
    this.source = source;
    this.template = template;
    this.specialTokens = Map.copyOf(specialTokens);
    this.jinjava =
        new Jinjava(
            JinjavaConfig.newBuilder()
                // What a message says is text, whatever it looks like.
                .withNestedInterpretationEnabled(false)
                .withKeepTrailingNewline(true)
                .withLegacyOverrides(LIKE_JINJA)
                .withElResolver(new PythonResolver())
                .withDateTimeProvider(clock::millis)
                .withTimeZone(clock.getZone())
                .build());
    jinjava.setResourceLocator(
        (name, encoding, interpreter) -> {
          throw new IllegalArgumentException("a chat template has no other templates: " + name);
        });
    TemplateFunctions.register(jinjava.getGlobalContext());
  }

  @Override
  public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
    List<Map<String, String>> conversation = new ArrayList<>();
    for (ChatMessage message : messages) {
      Map<String, String> fields = new LinkedHashMap<>();
      fields.put("role", message.role());
      fields.put("content", message.content());
      conversation.add(fields);
    }
    Map<String, Object> variables = new HashMap<>(specialTokens);
    variables.put("messages", conversation);
    variables.put("add_generation_prompt", addGenerationPrompt);
    // Templates ask whether the function is defined.
    variables.put(TemplateFunctions.STRFTIME_NOW, true);
    RenderResult result;
    try {
      Context context = jinjava.getGlobalContext();
      result =
          jinjava.renderForResult(
              JinjaDialect.toJinjava(
                  template,
                  name -> context.getFilter(name) != null,
                  name -> context.getExpTest(name) != null),
              variables);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(source + ": " + e.getMessage(), e);
    }
    if (!result.getErrors().isEmpty()) {
      throw failure(result.getErrors().getFirst());
    }
    return result.getOutput();
  }

  private IllegalArgumentException failure(TemplateError error) {
    String message = error.getMessage();
    for (Throwable t = error.getException(); t != null; t = t.getCause()) {
      if (t instanceof TemplateFunctions.Refusal) {
        return new IllegalArgumentException(
            source + ": the template refuses the conversation: " + t.getMessage(), t);
      }
      if (t instanceof IllegalArgumentException && t.getMessage() != null) {
        message = t.getMessage();
      }
    }
    return new IllegalArgumentException(
        source + ": the template cannot be rendered: " + message, error.getException());
  }
}
