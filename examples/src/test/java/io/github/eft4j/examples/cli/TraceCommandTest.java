package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceCommandTest {
  private static final String UP_SCALED =
      " --large models/large-base --tuned models/small-tuned --base models/small-base";

  @TempDir private Path directory;

  private String trace(String options) throws IOException {
    Path page = directory.resolve("page.html");
    EftRun run = eft(("trace --out " + page + " " + options.strip()).split(" +", -1));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    String html = Files.readString(page);
    int tokens = ids(html).size();
    assertThat(run.out()).isEqualToIgnoringNewLines("%s: %d tokens".formatted(page, tokens));
    return html;
  }

  /** The tokens of a page in their order. */
  private static List<Integer> ids(String html) {
    return Pattern.compile("<p>token \\d+, id (\\d+), ")
        .matcher(html)
        .results()
        .map(match -> Integer.valueOf(match.group(1)))
        .toList();
  }

  private static long count(String html, String part) {
    return Pattern.compile(Pattern.quote(part)).matcher(html).results().count();
  }

  @Test
  void tracesWhatSampleSamples() throws IOException {
    String options =
        UP_SCALED
            + " --prompt Why? --format chat --temperature 0.9 --top-p 0.95 --seed 3"
            + " --max-new-tokens 30 --speculate --draft-length 3";
    JsonNode sampled = eft(("sample --json" + options).split(" +", -1)).json();

    String html = trace(options + " --candidates 4");

    assertThat(ids(html)).isEqualTo(sampled.get("ids").valueStream().map(JsonNode::asInt).toList());
    assertThat(count(html, "<div class=\"token accepted\""))
        .isEqualTo(sampled.get("speculation").get("accepted").asInt());
    assertThat(count(html, "<div class=\"token refused\""))
        .isEqualTo(
            sampled.get("speculation").get("checked").asInt()
                - sampled.get("speculation").get("accepted").asInt());
    assertThat(html)
        .contains("<h1>large-base + small-tuned - small-base</h1>", ">Why?</span>")
        .contains("id=\"from1\" checked> small-tuned (drafts)</label>");
  }

  @Test
  void withoutSpeculationItStartsFromTheTunedModel() throws IOException {
    String html = trace(UP_SCALED + " --ids 5,6 --greedy --max-new-tokens 2 --candidates 1");

    assertThat(html)
        .contains("id=\"from1\" checked> small-tuned</label>")
        .doesNotContain("drafted tokens accepted", "<polyline");
    assertThat(count(html, "<div class=\"token \"")).isEqualTo(2);
    assertThat(count(html, "<tr class=\"chosen\">")).isEqualTo(2);
    assertThat(count(html, "<tbody>")).isEqualTo(2);
  }

  @Test
  void anyCombinationAndDrafterWillDo() throws IOException {
    String html =
        trace(
            "--combine 2*a-b --named a=models/large-base --named b=models/small-base"
                + " --named d=models/small-tuned --speculate --draft d --draft-length 2"
                + " --prompt The --greedy --max-new-tokens 9");
    assertThat(html)
        .contains("<h1>2*large-base - small-base</h1>")
        .contains("id=\"from2\" checked> small-tuned (drafts)</label>");

    assertThat(trace("--model models/small-base --prompt The --greedy --max-new-tokens 3"))
        .contains("id=\"from0\" checked> small-base</label>", "<td>0.00</td></tr></tfoot>");
  }
}
