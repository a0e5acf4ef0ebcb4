package io.github.eft4j.html;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.Completion;
import io.github.eft4j.CompletionTrace;
import io.github.eft4j.FinishReason;
import io.github.eft4j.SpeculationStatistics;
import io.github.eft4j.TokenTrace;
import io.github.eft4j.TracedToken;
import io.github.eft4j.TruncationReport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.shade.jackson.databind.JsonNode;

class TracePageTest {
  private static final String HOSTILE = "<script>pwned=1</script>\"'&\n";

  private static TracedToken token(int id, String text, double p, double... models) {
    return new TracedToken(
        id, text, Math.log(p), Arrays.stream(models).map(Math::log).boxed().toList());
  }

  private static TokenTrace trace(TracedToken token, @Nullable TracedToken drafted, double tv) {
    return new TokenTrace(
        token,
        Optional.ofNullable(drafted),
        List.of(tv, 1 - tv),
        List.of(token, token(9, "other", 0.001, 0.002, 0)));
  }

  private static Completion completion(@Nullable CompletionTrace trace) {
    return new Completion(
        "so be",
        List.of(4, 5, 6, 2),
        List.of(-1.0, -0.5, -0.25, 0.0),
        List.of(),
        Optional.ofNullable(trace),
        FinishReason.END_OF_TEXT,
        3,
        7,
        new SpeculationStatistics(3, 2, 1, 2),
        TruncationReport.NONE,
        Duration.ofMillis(1),
        Duration.ofMillis(2));
  }

  private static String html(List<String> models) {
    TracedToken accepted = token(5, " be", 0.5, 0.25, 0.5);
    TracedToken instead = token(6, HOSTILE, 0.4, 0.002, 0.4);
    CompletionTrace trace =
        new CompletionTrace(
            models,
            OptionalInt.of(1),
            List.of(
                trace(token(4, "so", 0.25, 0.5, 0.25), null, 0.1),
                trace(accepted, accepted, 0.2),
                trace(instead, token(8, "x<y", 0.1, 0.3, 0.6), 0.75),
                trace(token(2, "", 1, 1, 1), null, 0)));
    return TracePage.html("a + <b>", "Is <it>?", completion(trace), 1, id -> "</s" + id + ">");
  }

  private static String html() {
    return html(List.of("large", "tuned"));
  }

  @Test
  void showsWhatHappenedToEveryToken() {
    assertThat(html())
        .startsWith("<!DOCTYPE html>")
        .contains("<h1>a + &lt;b&gt;</h1>", "<span class=\"prompt\">Is &lt;it&gt;?</span>")
        .contains("4 tokens, ended by: end of text, log-probability −1.75, seed 7")
        .contains("1 of 2 drafted tokens accepted (50.0 %)")
        .contains("id=\"from1\" checked> tuned (drafts)</label>", "id=\"from0\"> large</label>")
        .contains("token 1, id 4, not drafted", "token 2, id 5, drafted and accepted")
        .contains("token 3, id 6, <bdi>x&lt;y</bdi> was drafted, refused")
        // The shift is ln 2 of ln 20 that have the full colour; that of 200 is cut off.
        .contains("style=\"--s0:0.231;--s1:0.000;\"", "style=\"--s0:1.000;--s1:0.000;\"")
        .contains("style=\"--s0:-0.231;--s1:0.000;\"")
        .contains("<td>+5.30</td><td>0.00</td>", "<td>0.75</td><td>0.25</td>")
        .contains("<td>0.10 %<small>−6.91</small></td>", "<td>0.00 %<small>−∞</small></td>")
        .contains("<span class=\"mark special\">&lt;/s2&gt;</span>")
        .contains("points=\"1.5,0.000 2.5,50.000\"");
  }

  @Test
  void whatModelsWroteIsTextAndNothingElse() {
    assertThat(html())
        .contains("&lt;script&gt;pwned=1&lt;/script&gt;&quot;&#39;&amp;")
        .doesNotContain("<script>pwned", "<b>", "<it>", "x<y");
    assertThat(html(List.of("</style><script>", "\"")))
        .contains("&lt;/style&gt;&lt;script&gt;")
        .doesNotContain("</style><script>");
  }

  @Test
  void modelsOfTheSameNameAreToldApart() {
    assertThat(html(List.of("m", "m"))).contains("> m</label>", "> m (2) (drafts)</label>");
  }

  @Test
  void needsNothingBesideItself() {
    assertThat(html())
        .doesNotContain("http:", "https:", "src=", "href=", "@import", "url(")
        .contains("prefers-color-scheme: dark");
  }

  @Test
  void elementsAreClosedInOrder() {
    ArrayDeque<String> open = new ArrayDeque<>();
    Matcher tag = Pattern.compile("<(/?)([a-zA-Z0-9]+)[^>]*?(/?)>").matcher(html());
    while (tag.find()) {
      String name = tag.group(2);
      if (!tag.group(1).isEmpty()) {
        assertThat(open.pop()).isEqualTo(name);
      } else if (tag.group(3).isEmpty() && !List.of("meta", "input").contains(name)) {
        open.push(name);
      }
    }
    assertThat(open).isEmpty();
  }

  @Test
  void refusesACompletionThatWasNotTraced() {
    assertThatThrownBy(() -> TracePage.html("m", "", completion(null), 0, String::valueOf))
        .hasMessage("the completion was not traced");
  }

  @Test
  void aBrowserShowsTheCandidatesOfTheTokenThatHasTheFocus(@TempDir Path directory)
      throws IOException, InterruptedException {
    Browser.assumeThereIsOne();
    JsonNode found =
        Browser.run(
            directory,
            html(),
            1300,
            false,
            """
            const tokens = [...document.querySelectorAll('.text .token')];
            const shown = () => tokens.map(t => getComputedStyle(t.lastChild).display);
            const key = name => document.dispatchEvent(new KeyboardEvent('keydown', {key: name}));
            const colours = () => tokens.map(t => getComputedStyle(t).backgroundColor);
            const result = { before: shown(), tabIndex: tokens.map(t => t.tabIndex) };
            tokens[0].focus();
            key('ArrowRight');
            key('ArrowRight');
            result.at = tokens.indexOf(document.activeElement);
            result.shown = shown();
            const card = tokens[2].lastChild.getBoundingClientRect();
            result.inside = card.left >= 0 && card.top >= 0 && card.right <= innerWidth
              && card.bottom <= innerHeight;
            result.beside = card.left >= document.querySelector('.text').getBoundingClientRect().right;
            key('End');
            result.end = tokens.indexOf(document.activeElement);
            key('Escape');
            result.after = shown();
            result.fromTuned = colours();
            document.getElementById('from0').checked = true;
            result.fromLarge = colours();
            result.variation = [...document.querySelectorAll('.variation')]
              .map(r => r.getBoundingClientRect().height);
            result.text = tokens.map(t => t.firstChild.textContent).join('|');
            result.pwned = typeof pwned;
            result.errors = errors;
            return result;
            """);
    assertThat(found.get("before")).allMatch(display -> display.asText().equals("none"));
    assertThat(found.get("tabIndex").toString()).isEqualTo("[0,-1,-1,-1]");
    assertThat(found.get("at").asInt()).isEqualTo(2);
    assertThat(found.get("shown").toString()).isEqualTo("[\"none\",\"none\",\"block\",\"none\"]");
    assertThat(found.get("inside").asBoolean()).isTrue();
    assertThat(found.get("beside").asBoolean()).isTrue();
    assertThat(found.get("end").asInt()).isEqualTo(3);
    assertThat(found.get("after")).allMatch(display -> display.asText().equals("none"));
    // Nothing moved away from tuned; away from large the first one became less likely, the second
    // likelier, the third much likelier.
    assertThat(colours(found, "fromTuned").distinct()).hasSize(1);
    assertThat(colours(found, "fromLarge").distinct()).hasSize(4);
    double full = found.get("variation").get(2).asDouble() / 0.75;
    assertThat(found.get("variation").get(1).asDouble()).isCloseTo(0.2 * full, within(0.5));
    assertThat(full).isGreaterThan(80);
    assertThat(found.get("text").asText()).startsWith("so| be|<script>pwned=1</script>\"'&");
    assertThat(found.get("pwned").asText()).isEqualTo("undefined");
    assertThat(found.get("errors")).isEmpty();
  }

  private static Stream<String> colours(JsonNode found, String key) {
    List<String> colours = new ArrayList<>();
    found.get(key).forEach(colour -> colours.add(colour.asText()));
    return colours.stream();
  }

  @Test
  void aBrowserFitsThePageIntoAnyWindowInLightAndDark(@TempDir Path directory)
      throws IOException, InterruptedException {
    Browser.assumeThereIsOne();
    List<String> backgrounds = new ArrayList<>();
    for (boolean dark : new boolean[] {false, true}) {
      JsonNode found =
          Browser.run(
              directory,
              html(List.of("a-very-long-name-of-a-model-without-any-space", "tuned")),
              dark ? 1300 : 500,
              dark,
              """
              document.querySelectorAll('.text .token')[1].focus();
              const card = document.activeElement.lastChild.getBoundingClientRect();
              return { width: innerWidth, needed: document.documentElement.scrollWidth,
                card: card.width > 0 && card.left >= 0 && card.right <= innerWidth
                  && card.bottom <= innerHeight,
                background: getComputedStyle(document.body).backgroundColor };
              """);
      assertThat(found.get("needed").asInt()).isLessThanOrEqualTo(found.get("width").asInt());
      assertThat(found.get("card").asBoolean()).isTrue();
      backgrounds.add(found.get("background").asText());
    }
    assertThat(backgrounds).containsExactly("rgb(246, 247, 249)", "rgb(18, 21, 27)");
  }
}
